// The preview as pages to share: `npm run preview:build` writes them to `dist-preview/`. The browser tests serve the same.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  base: './',
  build: {
    outDir: 'dist-preview',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    // One view is one small file, loaded when it is shown.
    chunkSizeWarningLimit: 1_000,
    rollupOptions: { input: ['preview.html', 'screen.html'] },
  },
});

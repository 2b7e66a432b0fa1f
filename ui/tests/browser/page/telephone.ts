// A telephone's camera: what it reads in a picture.
import jsQR from 'jsqr';

/** The text of the QR code in a picture, a PNG in Base64; nothing when none is found. */
export async function scan(png: string): Promise<string | undefined> {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d')!;
  pen.drawImage(picture, 0, 0);
  const { data, width, height } = pen.getImageData(0, 0, picture.width, picture.height);
  return jsQR(data, width, height)?.data;
}

#!/usr/bin/env bash
# Installs the Debian packages the project is built and tested with, and those named as arguments. Idempotent; quick
# when there is nothing to do.
set -euo pipefail

packages=(
  build-essential pkg-config libssl-dev                     # Rust crates that build C; SQLCipher's libcrypto
  libwebkit2gtk-4.1-dev libgtk-3-dev webkit2gtk-driver      # the window, and WebDriver for it
  libpcsclite-dev pcscd vsmartcard-vpcd iproute2 util-linux # the card reader, real and virtual, in a namespace
  cups-ipp-utils dbus dbus-daemon                           # a real IPP printer on loopback
  xvfb xauth                                                # a screen where there is none
  poppler-utils                                             # papers as text and pictures
  alsa-utils                                                # aplay, which plays the terminal's sounds
  chromium                                                  # the screens measured in a browser
  postgresql                                                # central's other database, started by its tests
  nginx-light                                               # the feed served as plain files
  "$@"                                                      # what one script alone needs
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [[ $status == ii* ]] || missing+=("$package")
done

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi; }

if ((${#missing[@]})); then
  echo "setup: installing ${missing[*]}"
  # No package may start a service here: 101 means "not allowed" (invoke-rc.d policy).
  policy=/usr/sbin/policy-rc.d
  made_policy=
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made_policy=1
  fi
  trap '[[ -z $made_policy ]] || as_root rm -f "$policy"' EXIT
  as_root apt-get update -qq
  # PostgreSQL's package would make a cluster and start it with the machine: the tests make their own.
  if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
    clusters=/etc/postgresql-common/createcluster.conf
    as_root sed -i.before-setup 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' "$clusters"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  # What is only needed by tests shall not run on the machine by itself afterwards.
  if [[ -d /run/systemd/system && " ${missing[*]} " == *" pcscd "* ]]; then
    as_root systemctl disable --quiet --now pcscd.socket pcscd.service || true
  fi
  if [[ -n ${clusters:-} ]]; then
    [[ ! -d /run/systemd/system ]] || as_root systemctl disable --quiet --now postgresql.service || true
    as_root mv "$clusters.before-setup" "$clusters"
  fi
  if [[ -d /run/systemd/system && " ${missing[*]} " == *" nginx-light "* ]]; then
    as_root systemctl disable --quiet --now nginx.service || true
  fi
fi

# vsmartcard-vpcd leaves a reader that listens on every interface: never wanted, since ours lives in a namespace.
for entry in /etc/reader.conf.d/vpcd; do
  if [[ -e $entry ]]; then
    echo "setup: disabling $entry (its reader would listen on all interfaces)"
    as_root mkdir -p /etc/reader.conf.disabled
    as_root mv "$entry" /etc/reader.conf.disabled/
  fi
done

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "setup: installing cargo-nextest"
  cargo install --quiet --locked cargo-nextest@0.9.143
fi

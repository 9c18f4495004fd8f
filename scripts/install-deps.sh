#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages of the browser tests, only those that are
# missing. Without root or apt it says what to install and fails.
set -euo pipefail

# command → package that brings it
declare -A commands=(
  [chromium]=chromium
  [firefox-esr]=firefox-esr
  [ffmpeg]=ffmpeg
  [pulseaudio]=pulseaudio
  [pactl]=pulseaudio-utils
  [Xvfb]=xvfb
  [xauth]=xauth
  [nft]=nftables
  [certutil]=libnss3-tools
  [ip]=iproute2
  [curl]=curl
  [openssl]=openssl
)
# libraries and fonts, known to dpkg alone
packages=(fonts-liberation libgl1-mesa-dri libegl1 libgl1)

missing=()
for c in "${!commands[@]}"; do
  command -v "$c" >/dev/null 2>&1 || [ -x "/usr/sbin/$c" ] || missing+=("${commands[$c]}")
done
if command -v dpkg-query >/dev/null 2>&1; then
  for p in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
fi
if [ "${#missing[@]}" -eq 0 ]; then
  echo "install-deps: nothing is missing"
  exit 0
fi
echo "install-deps: missing: ${missing[*]}"
if ! command -v apt-get >/dev/null 2>&1; then
  echo "install-deps: no apt-get here; install these by hand" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "install-deps: needs root" >&2; exit 1; }
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"

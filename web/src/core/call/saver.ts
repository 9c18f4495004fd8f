// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

/** What may be received at most, in kbit/s: from a middle picture for each of a few people down to sound with a small one. */
export const savers = [1000, 500, 250, 100] as const;

/** Where saving begins: one middle picture with sound. */
export const saverDefault = 500;

/** Megabytes that an hour at a rate takes at most, to two digits: more would pretend to know. */
export function megabytes(kbits: number): number {
  const mb = (kbits * 3600) / 8 / 1000;
  const step = 10 ** Math.max(0, Math.floor(Math.log10(mb)) - 1);
  return Math.round(mb / step) * step;
}

export function rate(kbits: number): string {
  return kbits < 1000 ? `${kbits} kbit/s` : `${kbits / 1000} Mbit/s`;
}

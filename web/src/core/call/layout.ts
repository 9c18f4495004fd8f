// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

/** Columns that give n equal tiles of the given aspect ratio the largest area in a box. */
export function columns(n: number, width: number, height: number, gap = 8, aspect = 4 / 3): number {
  if (n <= 1 || width <= 0 || height <= 0) return 1;
  let best = 1;
  let bestWidth = 0;
  for (let cols = 1; cols <= n; cols++) {
    const rows = Math.ceil(n / cols);
    const w = (width - gap * (cols - 1)) / cols;
    const h = (height - gap * (rows - 1)) / rows;
    const tile = Math.min(w, h * aspect);
    if (tile > bestWidth + 0.5) {
      bestWidth = tile;
      best = cols;
    }
  }
  return best;
}

export type Arrangement = 'alone' | 'pair' | 'grid' | 'screen';

/** One picture for one situation: somebody's screen wins, one other person fills the space, more share it. */
export function arrangement(remotes: number, screens: number): Arrangement {
  if (screens > 0) return 'screen';
  if (remotes === 0) return 'alone';
  return remotes === 1 ? 'pair' : 'grid';
}

export interface Size {
  width: number;
  height: number;
}

/**
 * Aspect ratio in which a picture is shown in a box: it fills the box as far as at least `keep` of the picture stays
 * visible, so that a face is never cut away. `keep` 1 shows the whole picture.
 */
export function shownAspect(picture: Size, box: Size, keep: number): number {
  const space = box.height ? box.width / box.height : 1;
  if (!picture.width || !picture.height) return space;
  const own = picture.width / picture.height;
  return Math.min(Math.max(space, own * keep), own / keep);
}

export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  return `${h ? `${h}:` : ''}${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

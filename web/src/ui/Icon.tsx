// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Shape } from './icons';

/** Decoration only: the words beside it say what it means. */
export function Icon({ of, size = 24 }: { of: Shape; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      {of.map((d) => (
        <path key={d} d={d} />
      ))}
    </svg>
  );
}

// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

const moves: Readonly<Record<string, (i: number, n: number) => number>> = {
  ArrowRight: (i, n) => (i + 1) % n,
  ArrowLeft: (i, n) => (i - 1 + n) % n,
  Home: () => 0,
  End: (_, n) => n - 1,
};

/** A toolbar: one tab stop, arrows move inside. */
export function Toolbar({ label, children }: { label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDivElement>(null);
  const at = useRef(0);
  const buttons = () => [...(ref.current?.querySelectorAll<HTMLButtonElement>('button') ?? [])];
  const mark = () => {
    const all = buttons();
    at.current = Math.min(at.current, Math.max(0, all.length - 1));
    all.forEach((b, i) => {
      b.tabIndex = i === at.current ? 0 : -1;
    });
  };
  useLayoutEffect(mark);
  const onKeyDown = (e: KeyboardEvent) => {
    const all = buttons();
    const i = all.indexOf(e.target as HTMLButtonElement);
    const to = moves[e.key]?.(i, all.length);
    if (i < 0 || to === undefined) return;
    e.preventDefault();
    at.current = to;
    mark();
    all[to]?.focus();
  };
  const onFocusIn = (e: FocusEvent) => {
    const i = buttons().indexOf(e.target as HTMLButtonElement);
    if (i < 0) return;
    at.current = i;
    mark();
  };
  return (
    <footer class="bar">
      <div ref={ref} class="toolbar" role="toolbar" aria-label={label} onKeyDown={onKeyDown} onFocusIn={onFocusIn}>
        {children}
      </div>
    </footer>
  );
}

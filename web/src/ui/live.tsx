// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals';

const polite = signal('');
const assertive = signal('');
let queue: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something to screen readers once. Polite news that come together are said together. */
export function announce(text: string, now = false): void {
  if (now) {
    assertive.value = '';
    setTimeout(() => {
      assertive.value = text;
    }, 50);
    return;
  }
  if (!queue.includes(text)) queue.push(text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    polite.value = queue.join(' ');
    queue = [];
    timer = setTimeout(() => {
      polite.value = '';
    }, 4000);
  }, 400);
}

export function Live() {
  return (
    <>
      <div class="vh" role="status" aria-live="polite" data-testid="live">
        {polite.value}
      </div>
      <div class="vh" role="alert" aria-live="assertive" data-testid="live-assertive">
        {assertive.value}
      </div>
    </>
  );
}

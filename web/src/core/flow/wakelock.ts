// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

/** Keeps the screen on while wanted; taken again when the page comes back to the front. Silent where unsupported. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.#take());
  }

  want(on: boolean): void {
    this.#wanted = on;
    if (on) void this.#take();
    else void this.#lock?.release().catch(() => {});
  }

  async #take(): Promise<void> {
    if (!this.#wanted || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      if (!this.#wanted) await this.#lock.release();
    } catch {
      // Low battery or no permission: the call works without.
    }
  }
}

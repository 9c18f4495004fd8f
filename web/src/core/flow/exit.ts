// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The quick exit: away from here at once, with nothing left that shows where one was.

/** Two presses within this time count, in milliseconds. */
const within = 700;

type Stop = () => void;
const stops = new Set<Stop>();

/** Registers what must stop before the page goes; returns how to take it back. Stops must not wait for anything. */
export function onExit(stop: Stop): () => void {
  stops.add(stop);
  return () => stops.delete(stop);
}

interface Place {
  /** Takes the place of this page in the history, so that "back" does not lead here. */
  replace(url: string): void;
}

/** Stops devices, empties the page, and leaves for an empty one. It asks no network and waits for nothing. */
export function quickExit(
  place: Place = location,
  page: Pick<Document, 'documentElement'> | undefined = document,
): void {
  for (const stop of stops) {
    try {
      stop();
    } catch {
      // Whatever fails, the way out stays open.
    }
  }
  if (page) page.documentElement.hidden = true;
  place.replace('about:blank');
}

interface Key {
  key: string;
  repeat: boolean;
  timeStamp: number;
}

/** True with the second of two presses of Escape. */
export function escapeTwice(): (e: Key) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (e) => {
    if (e.key !== 'Escape' || e.repeat) {
      if (e.key !== 'Escape') last = Number.NEGATIVE_INFINITY;
      return false;
    }
    const twice = e.timeStamp - last <= within;
    last = e.timeStamp;
    return twice;
  };
}

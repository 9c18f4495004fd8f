// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef } from 'preact/hooks';

/** Shows a capture track. Playing is asked for explicitly: autoplay alone leaves some browsers paused. */
export function Preview({ track, label, testid }: { track: MediaStreamTrack; label: string; testid: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    el.srcObject = new MediaStream([track]);
    el.play().catch(() => {});
    return () => {
      el.srcObject = null;
    };
  }, [track]);
  return <video ref={ref} class="mirrored" muted playsInline aria-label={label} data-testid={testid} />;
}

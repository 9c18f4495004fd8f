// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whether a browser lets frames be transformed at all. There is no call without it where encryption is required.

interface Ends {
  prototype: object;
}

/** The globals that decide. */
export interface Globals {
  RTCRtpScriptTransform?: unknown;
  RTCRtpSender?: Ends;
  RTCRtpReceiver?: Ends;
}

/** The way that this browser gives frames to a worker, or undefined. The standard's way comes first. */
export function transformOf(globals: Globals): 'script' | 'streams' | undefined {
  const ends = [globals.RTCRtpSender, globals.RTCRtpReceiver];
  const have = (name: string) => ends.every((e) => e && name in e.prototype);
  if (globals.RTCRtpScriptTransform !== undefined && have('transform')) return 'script';
  return have('createEncodedStreams') ? 'streams' : undefined;
}

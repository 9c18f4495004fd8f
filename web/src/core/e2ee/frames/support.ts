// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whether a browser lets frames be transformed at all. There is no call without it where encryption is required.

/** The globals that decide. */
export interface Globals {
  RTCRtpScriptTransform?: unknown;
  RTCRtpSender?: { prototype: object };
}

/** The way that this browser gives frames to a worker, or undefined. The standard's way comes first. */
export function transformOf(globals: Globals): 'script' | 'streams' | undefined {
  if (globals.RTCRtpScriptTransform !== undefined) return 'script';
  const sender = globals.RTCRtpSender;
  return sender && 'createEncodedStreams' in sender.prototype ? 'streams' : undefined;
}

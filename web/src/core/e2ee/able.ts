// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whether calls can be encrypted from end to end in this browser. Where that is required there is no call without it, so it is
// asked before anything else.

import { transformOf } from './frames/support';
import { makePageKey } from './pagekey';

export async function canEncrypt(): Promise<boolean> {
  if (!transformOf(globalThis as never) || typeof Worker === 'undefined') return false;
  return makePageKey().then(
    () => true,
    () => false,
  );
}

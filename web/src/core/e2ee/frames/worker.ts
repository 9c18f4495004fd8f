// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The entry of the worker that encrypts and decrypts frames.

import { type Scope, serve } from './service';

serve(globalThis as unknown as Scope, (octets) => crypto.getRandomValues(new Uint8Array(octets)));

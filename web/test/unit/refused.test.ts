// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { refused } from '../../src/call/refused';
import { ApiError } from '../../src/core/api/client';
import { addMessages } from '../../src/i18n';
import { callDe } from '../../src/i18n/call-de';

describe('a refused command', () => {
  addMessages('de', callDe);

  it('is explained by the code of the server', () => {
    expect(refused(new ApiError('room_full'))).toBe(callDe['host.failed.room_full']);
    expect(refused(new ApiError('not_found'))).toBe(callDe['host.failed.not_found']);
    expect(refused(new ApiError('too_many'))).toBe(callDe['host.failed.too_many']);
  });

  it('has a word for every other failure', () => {
    expect(refused(new ApiError('internal'))).toBe(callDe['host.failed']);
    expect(refused(new Error('x'))).toBe(callDe['host.failed']);
  });
});

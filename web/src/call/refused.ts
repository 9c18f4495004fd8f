// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { ApiError } from '../core/api/client';
import { maybe, t } from '../i18n';

/** What a host reads when the server refuses a command. */
export function refused(e: unknown): string {
  return (e instanceof ApiError ? maybe(`host.failed.${e.code}`) : undefined) ?? t('host.failed');
}

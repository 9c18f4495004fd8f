// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { t } from '../i18n';

/** A person's name, also where none has been said. */
export const named = (name: string): string => name || t('e2ee.somebody');

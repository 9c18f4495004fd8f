// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { t } from '../i18n';
import { Icon } from './Icon';
import { lockIcon } from './icons-media';

/** One quiet line before the call, where nothing leaves the page unencrypted. */
export function SecureLine() {
  return (
    <p class="secure-line" data-testid="secure-line">
      <Icon of={lockIcon} size={18} />
      <span>{t('check.e2ee')}</span>
    </p>
  );
}

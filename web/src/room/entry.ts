// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { addMessages } from '../i18n';
import { checkDe } from '../i18n/check-de';

addMessages('de', checkDe);

export { Room } from './Room';

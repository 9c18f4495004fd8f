// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	_ "embed"
	"net/http"
)

// openAPI describes the appointment interface; a test holds it against what the
// routes really answer.
//
//go:embed openapi.json
var openAPI []byte

func (d *Desk) serveOpenAPI(w http.ResponseWriter, _ *http.Request, _ Call) {
	writeHeaders(w)
	_, _ = w.Write(openAPI) // a client that has gone needs no answer
}

// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
	"github.com/caddy-videoroom/videoroom/practice/internal/circle"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
	"github.com/caddy-videoroom/videoroom/token"
)

// Code names an error on the wire. The codes below are all there are.
type Code string

// The codes.
const (
	CodeBadRequest    Code = "bad_request"
	CodeNotHost       Code = "not_host"
	CodeBadLink       Code = "bad_link"
	CodeLinkExpired   Code = "link_expired"
	CodeRoomFull      Code = "room_full"
	CodeRoomClosed    Code = "room_closed"
	CodeTooMany       Code = "too_many"
	CodeTooLarge      Code = "too_large"
	CodeForeignOrigin Code = "foreign_origin"
	CodeNotAllowed    Code = "not_allowed"
	CodeNotFound      Code = "not_found"
	CodeMethod        Code = "method"
	CodeUnsupported   Code = "unsupported"
	CodeUnavailable   Code = "unavailable"
	CodeInternal      Code = "internal"
	CodeTooEarly      Code = "too_early"
	CodeCancelled     Code = "cancelled"
	CodeConflict      Code = "conflict"
	CodeInvalid       Code = "invalid"
	CodeNoEncryption  Code = "no_encryption"
)

var (
	// ErrNoParticipant says that a room has no such participant. [Rooms] returns it.
	ErrNoParticipant = errors.New("no such participant")
	// ErrRemoved says that a participant was removed from a room.
	ErrRemoved = errors.New("participant was removed")
	// ErrEnded says that a room was ended by its host.
	ErrEnded = errors.New("room has ended")
)

// Error is an error with its code. Its text is for developers; people read what
// the user interface says to the code.
type Error struct {
	Code Code
	// RetryAfter in seconds tells when another attempt may succeed; 0: unknown.
	RetryAfter int
	// Fields says what is wrong with which field, with [CodeInvalid], and with the
	// signature of booking software, with [CodeNotHost].
	Fields map[string]string
	cause  error
	// hint replaces the message of the code; it says what to do.
	hint string
}

// Error returns the message that goes over the wire.
func (e *Error) Error() string { return cmp.Or(e.hint, faults[e.Code].message) }

// Unwrap returns the cause, which never goes over the wire.
func (e *Error) Unwrap() error { return e.cause }

// fault is how a code appears on HTTP and on WebSockets.
type fault struct {
	status  int
	close   websocket.StatusCode
	message string
}

// faults is the only place that maps codes.
var faults = map[Code]fault{
	CodeBadRequest:    {http.StatusBadRequest, websocket.StatusPolicyViolation, "the request is malformed"},
	CodeNotHost:       {http.StatusUnauthorized, websocket.StatusPolicyViolation, "sign in as a host of this site first"},
	CodeBadLink:       {http.StatusNotFound, websocket.StatusPolicyViolation, "this link does not lead to a room"},
	CodeLinkExpired:   {http.StatusGone, websocket.StatusPolicyViolation, "this link has expired"},
	CodeRoomFull:      {http.StatusConflict, websocket.StatusTryAgainLater, "the room is full"},
	CodeRoomClosed:    {http.StatusConflict, websocket.StatusPolicyViolation, "the room has been closed"},
	CodeTooMany:       {http.StatusTooManyRequests, websocket.StatusTryAgainLater, "too many attempts, try again later"},
	CodeTooLarge:      {http.StatusRequestEntityTooLarge, websocket.StatusMessageTooBig, "the request is too large"},
	CodeForeignOrigin: {http.StatusForbidden, websocket.StatusPolicyViolation, "requests from other sites are refused"},
	CodeNotAllowed:    {http.StatusForbidden, websocket.StatusPolicyViolation, "this is not allowed here"},
	CodeNotFound:      {http.StatusNotFound, websocket.StatusPolicyViolation, "not found"},
	CodeMethod:        {http.StatusMethodNotAllowed, websocket.StatusPolicyViolation, "this method is not served here"},
	CodeUnsupported:   {http.StatusNotImplemented, websocket.StatusPolicyViolation, "open this socket with HTTP/1.1"},
	CodeUnavailable:   {http.StatusServiceUnavailable, websocket.StatusTryAgainLater, "the server cannot take more at present"},
	CodeInternal:      {http.StatusInternalServerError, websocket.StatusInternalError, "the server failed"},
	CodeTooEarly:      {http.StatusTooEarly, websocket.StatusPolicyViolation, "the appointment is not open yet"},
	CodeCancelled:     {http.StatusGone, websocket.StatusPolicyViolation, "the appointment has been cancelled"},
	CodeConflict:      {http.StatusConflict, websocket.StatusPolicyViolation, "the appointment does not allow this any more"},
	CodeInvalid:       {http.StatusUnprocessableEntity, websocket.StatusPolicyViolation, "some fields are not valid"},
	CodeNoEncryption:  {http.StatusBadRequest, websocket.StatusPolicyViolation, "this site takes browsers that encrypt from end to end only"},
}

// causes maps the errors of other packages to codes; the first match counts.
var causes = []struct {
	err  error
	code Code
}{
	{token.ErrCapabilityExpired, CodeLinkExpired},
	{token.ErrBadCapability, CodeBadLink},
	{token.ErrBadToken, CodeNotHost},
	{token.ErrBadJSON, CodeBadRequest},
	{token.ErrBadKey, CodeBadRequest},
	{circle.ErrMalformed, CodeBadRequest},
	{circle.ErrSignature, CodeBadRequest},
	{circle.ErrRefused, CodeNotAllowed},
	{circle.ErrFull, CodeRoomFull},
	{booking.ErrNotice, CodeBadRequest},
	{ErrNoParticipant, CodeNotFound},
	{ErrRemoved, CodeNotAllowed},
	{ErrEnded, CodeRoomClosed},
	{records.ErrNotFound, CodeNotFound},
	{records.ErrDamaged, CodeNotFound},
	{records.ErrUnavailable, CodeUnavailable},
	{records.ErrVersion, CodeUnavailable},
}

// storageRetry is when a storage that fails is worth another attempt, in seconds.
const storageRetry = 10

func fail(code Code) *Error { return &Error{Code: code} }

// retry is a refusal that time heals.
func retry(code Code, seconds int) *Error { return &Error{Code: code, RetryAfter: seconds} }

// coded finds the code of any error; what is unknown is internal.
func coded(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			e := &Error{Code: c.code, cause: err}
			if e.Code == CodeUnavailable {
				e.RetryAfter = storageRetry
			}
			return e
		}
	}
	return &Error{Code: CodeInternal, cause: err}
}

// errorBody is an error within JSON.
type errorBody struct {
	Code    Code              `json:"code"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields,omitempty"`
}

func (e *Error) body() errorBody {
	return errorBody{Code: e.Code, Message: e.Error(), Fields: e.Fields}
}

// errorFrame is an error on a WebSocket, before it is closed.
type errorFrame struct {
	Type string `json:"type"`
	errorBody
	RetryAfter int `json:"retry_after,omitempty"`
}

func (e *Error) frame() errorFrame {
	return errorFrame{Type: "error", errorBody: e.body(), RetryAfter: e.RetryAfter}
}

// WriteError answers an HTTP request with an error.
func WriteError(w http.ResponseWriter, err error) {
	e := coded(err)
	body, marshalErr := json.Marshal(struct {
		Error errorBody `json:"error"`
	}{e.body()})
	if marshalErr != nil { // plain strings; cannot happen
		body = nil
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	writeHeaders(w)
	w.WriteHeader(faults[e.Code].status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

func writeHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

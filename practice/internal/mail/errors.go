// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"errors"
	"fmt"
)

var (
	// ErrLetter says that a letter cannot be written from what was given.
	ErrLetter = errors.New("mail: the letter is incomplete")
	// ErrServer says that the settings of the mail server are unusable.
	ErrServer = errors.New("mail: bad server settings")
)

// Class says what a failure means for the next attempt.
type Class string

// The classes.
const (
	// Temporary failures may heal; the message was certainly not accepted.
	Temporary Class = "temporary"
	// Permanent failures are the server's last word on this message.
	Permanent Class = "permanent"
	// Unclear: the connection was lost after the whole message had been handed
	// over and before the server answered. It may or may not arrive, and sending
	// it again may deliver it twice.
	Unclear Class = "unclear"
)

// Reason is a short word for people who look after the mail.
type Reason string

// The reasons.
const (
	ReasonConnect   Reason = "connect"   // the server cannot be reached
	ReasonTLS       Reason = "tls"       // no encryption, or a certificate that proves nothing
	ReasonLogin     Reason = "login"     // user or password refused
	ReasonSender    Reason = "sender"    // the practice's own address refused
	ReasonRecipient Reason = "recipient" // the guest's address refused
	ReasonContent   Reason = "content"   // the message itself refused
	ReasonBusy      Reason = "busy"      // the server asks to come back later
	ReasonLost      Reason = "lost"      // the connection broke or fell silent
	ReasonMessage   Reason = "message"   // the message cannot be put into form
)

// SendError is why a message was not delivered. Its text names neither an address
// nor what the server wrote, because servers repeat addresses.
type SendError struct {
	Class  Class
	Reason Reason
	// Code is the server's reply code; 0 when it gave none.
	Code int
}

// Error returns class, reason and code.
func (f *SendError) Error() string {
	if f.Code == 0 {
		return fmt.Sprintf("mail: %s failure: %s", f.Class, f.Reason)
	}
	return fmt.Sprintf("mail: %s failure: %s (%d)", f.Class, f.Reason, f.Code)
}

// ClassOf returns the class of an error of [Sender.Send]. An error that is no
// [SendError] is Unclear, so that nothing is ever sent twice by mistake; nil has
// no class.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*SendError](err); ok {
		return f.Class
	}
	return Unclear
}

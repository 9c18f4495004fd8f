// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"crypto/rand"

	pion "github.com/pion/stun/v4"
)

// turnRequest is a request that is being answered.
type turnRequest struct {
	c        *turnConn
	m        *pion.Message
	username string
	user     TURNUser
	// key signs the answers once the request's own signature has been checked.
	key pion.MessageIntegrity
}

// authenticate checks the credentials of a request (RFC 8489 section 9.2.4) and
// answers it where they are not good. Of an allocation it accepts the username
// that made it, whatever became of that since.
func (r *turnRequest) authenticate() (ok bool, err error) {
	var username pion.Username
	var realm pion.Realm
	var nonce pion.Nonce
	switch {
	case !r.m.Contains(pion.AttrMessageIntegrity):
		return false, r.unknown(r.challenge(pion.CodeUnauthorized))
	case username.GetFrom(r.m) != nil || realm.GetFrom(r.m) != nil || nonce.GetFrom(r.m) != nil:
		return false, r.strike(r.fail(pion.CodeBadRequest))
	case nonce.String() != r.c.nonce || r.c.now.Sub(r.c.nonceAt) >= turnNonce:
		return false, r.unknown(r.challenge(pion.CodeStaleNonce))
	}
	r.username = username.String()
	if a := r.c.alloc; a != nil {
		if r.username != a.username {
			return false, r.strike(r.fail(pion.CodeWrongCredentials))
		}
		return r.verify(a.key)
	}
	user, known := r.c.t.auth.TURNUser(r.username)
	if !known {
		return false, r.strike(r.challenge(pion.CodeUnauthorized))
	}
	r.user = user
	return r.verify(pion.NewLongTermIntegrity(r.username, TURNRealm, user.Password))
}

func (r *turnRequest) verify(key pion.MessageIntegrity) (ok bool, err error) {
	if key.Check(r.m) != nil {
		return false, r.strike(r.challenge(pion.CodeUnauthorized))
	}
	r.key = key
	return true, nil
}

// challenge answers with an error that tells how to authenticate. The nonce is
// good for this connection only, which is what makes it hard to replay.
func (r *turnRequest) challenge(code pion.ErrorCode) error {
	c := r.c
	if c.nonce == "" || c.now.Sub(c.nonceAt) >= turnNonce {
		c.nonce, c.nonceAt = rand.Text(), c.now
	}
	return r.answer(pion.ClassErrorResponse, code, pion.NewRealm(TURNRealm), pion.NewNonce(c.nonce))
}

// strike counts a request that was refused for its credentials, and has been
// answered with the result err.
func (r *turnRequest) strike(err error) error {
	r.c.t.refused.Add(1)
	return r.patience(err)
}

// unknown counts a request from a client of whom no valid credentials have been
// seen, and that has been answered with the result err.
func (r *turnRequest) unknown(err error) error {
	if r.c.alloc != nil {
		return err
	}
	return r.patience(err)
}

func (r *turnRequest) patience(err error) error {
	r.c.strikes++
	if err == nil && r.c.strikes > turnStrikes {
		return errTURNEnd
	}
	return err
}

// fail answers with an error.
func (r *turnRequest) fail(code pion.ErrorCode) error {
	return r.answer(pion.ClassErrorResponse, code)
}

// succeed answers with success.
func (r *turnRequest) succeed(attrs ...pion.Setter) error {
	return r.answer(pion.ClassSuccessResponse, attrs...)
}

// answer queues an answer, signed if the request's signature was good. Where
// the queue is full it is lost, as a datagram would be.
func (r *turnRequest) answer(class pion.MessageClass, attrs ...pion.Setter) error {
	setters := make([]pion.Setter, 0, 3+len(attrs))
	setters = append(setters, pion.NewTransactionIDSetter(r.m.TransactionID), pion.NewType(r.m.Type.Method, class))
	setters = append(setters, attrs...)
	if r.key != nil {
		setters = append(setters, r.key)
	}
	m, err := pion.Build(setters...)
	if err != nil {
		return err
	}
	if !r.c.q.add(m.Raw, nil, 0) {
		r.c.t.dropped.Add(1)
	}
	return nil
}

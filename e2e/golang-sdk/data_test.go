// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	lksdk "github.com/livekit/server-sdk-go/v2"
)

func TestData(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		anna, bert := join(t, serverURL, "anna", from), join(t, serverURL, "bert", to)
		carl := join(t, serverURL, "carl", from)
		for _, m := range []*member{anna, bert} {
			greet(t, m, anna, bert, carl)
		}
		exchangeReliable(t, anna, bert)
		exchangeLossy(t, bert, anna)
		time.Sleep(300 * time.Millisecond) // what was for everybody may still arrive
		drain(carl.messages)
		send(t, anna, "only for bert", lksdk.WithDataPublishReliable(true), lksdk.WithDataPublishDestination([]string{"bert"}))
		until(t, bert, message{"anna", "only for bert", ""})
		never(t, carl.messages, "carl read what was for bert")
	})
}

// greet waits until everybody can be reached: channels open some moments after
// the join.
func greet(t *testing.T, from *member, to ...*member) {
	t.Helper()
	for _, m := range to {
		if m == from {
			continue
		}
		text := "hello " + m.identity
		eventually(t, from.identity+" reaches "+m.identity, func() bool {
			send(t, from, text, lksdk.WithDataPublishReliable(true))
			for end := time.After(200 * time.Millisecond); ; {
				select {
				case got := <-m.messages:
					if got.from == from.identity && got.text == text {
						return true
					}
				case <-end:
					return false
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // repeated greetings may still arrive
	for _, m := range to {
		drain(m.messages)
	}
}

func send(t *testing.T, from *member, text string, opts ...lksdk.DataPublishOption) {
	t.Helper()
	opts = append(opts, lksdk.WithDataPublishTopic(""))
	if err := from.LocalParticipant.PublishDataPacket(lksdk.UserData([]byte(text)), opts...); err != nil {
		t.Fatalf("%s sends: %v", from.identity, err)
	}
}

func drain[T any](c <-chan T) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

// until reads messages until the wanted one.
func until(t *testing.T, m *member, want message) {
	t.Helper()
	for got := (message{}); got != want; {
		got = next(t, m.messages, fmt.Sprintf("%q of %s", want.text, want.from))
	}
}

func exchangeReliable(t *testing.T, from, to *member) {
	t.Helper()
	const n = 60
	long := strings.Repeat("x", 14_000)
	for i := range n {
		send(t, from, fmt.Sprintf("%d %s", i, long), lksdk.WithDataPublishReliable(true))
	}
	for i := range n {
		got := next(t, to.messages, "reliable messages")
		if want := fmt.Sprintf("%d %s", i, long); got.from != from.identity || got.text != want {
			t.Fatalf("message %d is of %s and begins with %.8q", i, got.from, got.text)
		}
	}
}

func exchangeLossy(t *testing.T, from, to *member) {
	t.Helper()
	const n = 40
	seen := make(map[string]bool)
	for i := range n {
		send(t, from, fmt.Sprint(i), lksdk.WithDataPublishReliable(false))
		time.Sleep(5 * time.Millisecond)
	}
	eventually(t, "most lossy messages", func() bool {
		for {
			select {
			case got := <-to.messages:
				if got.from != from.identity {
					t.Fatalf("%s spoke", got.from)
				}
				seen[got.text] = true
			default:
				return len(seen) > n*3/4
			}
		}
	})
}

func TestRPC(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		anna, bert := join(t, serverURL, "anna", from), join(t, serverURL, "bert", to)
		err := bert.RegisterRpcMethod("greet", func(d lksdk.RpcInvocationData) (string, error) {
			return d.CallerIdentity + " says " + d.Payload, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		greet(t, anna, bert)
		greet(t, bert, anna)
		answer, err := anna.LocalParticipant.PerformRpc(lksdk.PerformRpcParams{
			DestinationIdentity: "bert", Method: "greet", Payload: "hello",
		})
		if err != nil || *answer != "anna says hello" {
			t.Errorf("answer %v, %v", answer, err)
		}
	})
}

// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestShapeWith(t *testing.T) {
	tests := map[string]struct {
		words []string
		want  Shape
		bad   bool
	}{
		"nothing":          {},
		"times":            {words: []string{"delay=20", "jitter=1.5", "queue=2s"}, want: Shape{Delay: 20 * time.Millisecond, Jitter: 1500 * time.Microsecond, Queue: 2 * time.Second}},
		"percent":          {words: []string{"loss=3", "duplicate=50%"}, want: Shape{Loss: .03, Duplicate: .5}},
		"rate":             {words: []string{"rate=2500", "queuebytes=9000"}, want: Shape{Rate: 2.5e6, QueueBytes: 9000}},
		"order and cut":    {words: []string{"order=free", "cut=on"}, want: Shape{Free: true, Cut: true}},
		"the last one won": {words: []string{"delay=20", "delay=0"}},
		"elliott":          {words: []string{"ge=1,25"}, want: Shape{Elliott: &Elliott{.01, .25, 1, 0}}},
		"elliott, whole":   {words: []string{"ge=1,25,80,2"}, want: Shape{Elliott: &Elliott{.01, .25, .8, .02}}},
		"loss ends ge":     {words: []string{"ge=1,25", "loss=0"}},
		"unknown":          {words: []string{"los=3"}, bad: true},
		"no number":        {words: []string{"loss=x"}, bad: true},
		"not a number":     {words: []string{"loss=NaN"}, bad: true},
		"over 100":         {words: []string{"loss=101"}, bad: true},
		"below zero":       {words: []string{"delay=-1"}, bad: true},
		"too long":         {words: []string{"delay=61s"}, bad: true},
		"no order":         {words: []string{"order=maybe"}, bad: true},
		"short ge":         {words: []string{"ge=1"}, bad: true},
		"impossible burst": {words: []string{"loss=90", "burst=2"}, bad: true},
		"infinite rate":    {words: []string{"rate=Inf"}, bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Shape{}.With(tt.words)
			if tt.bad {
				if !errors.Is(err, errShape) {
					t.Fatalf("error %v, want errShape", err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func FuzzShapeWord(f *testing.F) {
	for key := range settings {
		f.Add(key + "=10")
	}
	f.Add("ge=1,2,3,4")
	f.Fuzz(func(t *testing.T, word string) {
		s, err := Shape{}.With([]string{word})
		if err != nil {
			return
		}
		p := newPipe(1)
		p.set(0, s)
		for i := range 50 {
			p.push(time.Duration(i)*time.Millisecond, make([]byte, 100, mtu))
		}
		for p.pop(time.Hour) != nil {
		}
		if at, ok := p.next(); ok && at <= time.Hour {
			t.Errorf("something is left to do at %v", at)
		}
	})
}

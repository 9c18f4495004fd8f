// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"container/heap"
	"time"
)

// task is something a room will do later.
type task struct {
	at    time.Time
	do    func()
	index int // place in the agenda; -1 when not in it
}

// agenda holds a room's tasks, the next one first. It belongs to the room's
// goroutine, so that one timer serves every deadline of the room.
type agenda struct{ tasks taskHeap }

// after plans f in d from now.
func (a *agenda) after(d time.Duration, f func()) *task {
	t := &task{at: time.Now().Add(d), do: f}
	heap.Push(&a.tasks, t)
	return t
}

// cancel takes t off the agenda. nil and finished tasks are allowed.
func (a *agenda) cancel(t *task) {
	if t != nil && t.index >= 0 {
		heap.Remove(&a.tasks, t.index)
	}
}

// run does what is due.
func (a *agenda) run(now time.Time) {
	for len(a.tasks) > 0 && !a.tasks[0].at.After(now) {
		heap.Pop(&a.tasks).(*task).do()
	}
}

// next returns the time until the next task, and false when there is none.
func (a *agenda) next(now time.Time) (time.Duration, bool) {
	if len(a.tasks) == 0 {
		return 0, false
	}
	return max(0, a.tasks[0].at.Sub(now)), true
}

type taskHeap []*task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h taskHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *taskHeap) Push(x any) {
	t := x.(*task)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *taskHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

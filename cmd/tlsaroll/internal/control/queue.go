package control

import "sync"

// queue keeps frames until they are shown. It has no bounds: a daemon must not wait for
// a person who reads page by page.
type queue struct {
	news chan struct{} // holds one when there is something new

	mu     sync.Mutex
	frames []frame
	err    error // why no more come
}

func newQueue() *queue { return &queue{news: make(chan struct{}, 1)} }

// put adds a frame, or says with an error that it was the last one.
func (q *queue) put(f frame, err error) {
	q.mu.Lock()
	if q.err = err; err == nil {
		q.frames = append(q.frames, f)
	}
	q.mu.Unlock()
	select {
	case q.news <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (q *queue) take() ([]frame, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	frames := q.frames
	q.frames = nil
	return frames, q.err
}

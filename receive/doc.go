// Package receive is what arrived: a Submission, and the Sink that takes it durably or refuses. The listeners below it,
// httprecv for posted messages and smtprecv for mailed ones, make Submissions and turn what the Sink says into the answer
// of their protocol. They look into no message: the bytes are handed on as received.
//
//	peer ─▸ listener ─▸ Submission ─▸ Sink.Accept ─▸ Receipt: 200 or 250, only now
//	                                             └─▸ Refusal: 4xx or 5xx, the peer keeps its message
package receive

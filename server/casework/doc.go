// Package casework turns findings into cases, which people know as service requests, and keeps them until they are done.
//
// It owns the life of a case, who has to be told of it in which order (teams, rotas, escalation), maintenance windows,
// the packet for a replacement part, and the hand-over to other ticket systems with what they answer. It does not find
// anything (server/analysis does), does not write mails to people (server/notify does), and keeps nothing itself: all
// state is behind [Store], in the transaction of the caller.
//
// The pieces:
//
//	Subject, Cause ──▶ Desk.Act ──▶ Case, Events, Evidence        in the transaction that processes the message
//	people         ──▶ Desk.Acknowledge, Assign, Note, ...        each in a transaction of its own
//	time           ──▶ Desk.Tick                                  snoozes, quiet times, escalation, closing, catching up
//	Events         ──▶ pushes ──▶ Liaison ──▶ Adapter ──▶ Jira, ServiceNow, PagerDuty, a webhook, ticket mail
//	their answers  ──▶ Adapter.Receive, Poll ──▶ Desk.Apply
//
// What each of them did comes back as [Happening]s, which the conductor hands to server/notify in the same transaction.
//
// A cause is (device, rule, part). It has one [Slot], a row that is locked while the cause is worked, and which names
// the case of the cause: that is why there is never more than one open case for one cause, however many servers work.
package casework

// Package notify tells people: by mail, by short text to a pager, and in the inbox of the portal. It owns the kinds of
// notices and their wording, who wants which of them and when, digests, and the limits that keep a storm out of
// somebody's mailbox. It does not decide that something is worth telling (the rooms before it do), does not send (the
// outbox and its courier do), and keeps nothing itself: all state is behind [Store].
//
//	Announce ──▶ notice, inbox entries, mails to write       in the transaction of what is announced: once, or not at all
//	Postman  ──▶ takes mails and digests that are due, renders them, puts them into the outbox, marks them sent
//
// What a kill -9 leaves: before the transaction's end nothing; after it the rows, which a Postman takes, whichever
// server's; between the outbox and the mark a mail is put again, with the same Message-ID and the same bytes, and a
// reader's mail program shows it once.
//
// Anonymous messages are never announced.
package notify

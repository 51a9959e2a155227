// Package enrol is how an agent or a gateway joins a back end: the wire of it, the joining side (Client) and the
// answering side (Handler, which asks an Issuer). It owns the paths, the JSON, the limits and the files that the joining
// side keeps; it decides nothing: whose token counts and what a certificate says is the Issuer's business.
//
//	joining side                                          back end, on its devices listener
//	pending.pem: key, CSR, token   ── POST enrol ──▶      Issuer.Enrol: the token is used up for this key
//	identity.pem: key, certificate ◀── Grant ───────      the same token with the same key is answered again
//	                               ── POST renew ──▶      Issuer.Renew: asked with the certificate (mutual TLS)
//	                               ── POST heartbeat ──▶  Issuer.Beat: likewise
//
// What the joining side keeps, mode 0600, each file replaced in one step:
//
//	pending.pem    written before anything is asked: the new key, the request for it, and the one-time token. A crash
//	               at any point finds it again, and asks again with the same key, so the only token is never lost
//	identity.pem   key and certificate with its chain, in one file so that they never belong to different pairs
//	ca.pem         the authority that issued it
//	grant.json     the name and when to renew
package enrol

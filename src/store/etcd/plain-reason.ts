/** Why there is no connection, in words that say what to do. Pure. */

/**
 * grpc-js wraps the system's reason: "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:2379. Resolution note: ".
 * OpenSSL's is long, and what matters of it is the name of the alert (RFC 8446, section 6).
 */
export function plainReason(details: string): string {
  const reason = /Last error: (?:Error: )?(.*?)\.?(?: Resolution note:.*)?$/s.exec(details)?.[1] ?? details;
  const alert = /(?:(?:ssl|tls)v\d+|ssl\/tls) alert ([a-z ]+):/.exec(reason)?.[1];
  if (alert !== undefined) return `it refuses our TLS handshake (${alert}); does it ask for a client certificate?`;
  if (reason === '' || reason === 'null' || reason.startsWith('Failed to connect'))
    return 'it closes the connection; does it speak TLS? Then its URL begins with https:';
  if (reason.includes('disconnected before secure TLS connection'))
    return 'it ends the TLS handshake; does it speak no TLS? Then its URL begins with http:';
  const untrusted = /^(unable to verify the first certificate|self-signed certificate[^;]*)/.exec(reason)?.[1];
  if (untrusted !== undefined) return `${untrusted}; name the authority that has signed it (ca)`;
  // The time at which it was found out, behind OpenSSL's own line end.
  return reason.replace(/\s*\(\d{4}-[\d:T.-]+Z\)$/, '');
}

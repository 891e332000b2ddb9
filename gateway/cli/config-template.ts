/** What `sallyport init` writes. Everything that is not commented out is needed; everything else shows its default. */
export const CONFIG_TEMPLATE = `# Sallyport: who may do what to which system, and where it is recorded.
# Check it with \`sallyport check\`, start it with \`sallyport serve\`.
#
# Secrets never stand in this file. Write where they are:
#   "\${env:NAME}"    the environment variable NAME
#   "\${file:path}"   the content of a file
# Relative paths start at this file's folder.

# The systems behind the gateway. The gateway logs in to them; its clients never see how.
targets:
  shop:
    protocol: postgresql
    host: 127.0.0.1
    port: 5432
    database: shop
    user: shop_app
    password: "\${env:SHOP_PASSWORD}"
    # TLS to the target. verify-full is the default: change it only where the network is trusted.
    tls: { mode: verify-full }            # disable | prefer | require | verify-ca | verify-full; ca: "\${file:ca.pem}"
    # Rules read labels as target.labels.NAME.
    labels: { environment: production }
    # What columns hold. Rules mask by class: class:pii.email
    classes:
      public.customers.email: pii.email
    # Keyed masks (hash, shuffle) use this secret, or else the gateway's own; values masked in two periods do not match.
    # mask-key: "\${env:SHOP_MASK_KEY}"
    # mask-key-rotation: 30d              # default: never
    # databases: [reporting]              # which others of the same server may be asked for; default: any
    # fastpath: false                     # function calls without SQL
    # replication: false

# Where clients connect: psql "host=127.0.0.1 port=15432 user=ada dbname=shop"
# The database name picks the target: shop, or shop/reporting for another database of the same server.
listeners:
  - protocol: postgresql
    listen: 127.0.0.1:15432
    # tls: { cert: "\${file:server.pem}", key: "\${file:server.key}", required: true }
    # target: shop                        # a listener for one target: every database name is that server's

# Who may connect, and who may approve.
people:
  ada:
    groups: [engineers]
    # postgresql: { verifier: "SCRAM-SHA-256$..." }   # printed by: sallyport password
    # targets: [shop]                                 # default: all
  grace:
    groups: [reviewers]
    # api: { token: "sha256:..." }                    # printed by: sallyport token
    # api: { token: "sha256:...", operator: true }    # may also see sessions and reload rules
  # ada-agent:
  #   kind: agent                         # person | service | agent
  #   acts-for: ada                       # what it asks for, ada cannot approve
  #   postgresql: { verifier: "SCRAM-SHA-256$..." }

# Each file is one rule. What no rule allows is blocked.
rules:
  folder: ./rules
  default: block
  watch: true                             # new rules apply at once; a broken set is refused and the old one stays

# For rules that hold a command and do not say who answers.
approvals:
  approvers: [group:reviewers]
  timeout: 10m
  # What a held statement would change is found out first, and shown to whoever answers: rows, cascades, a masked sample.
  # max-cost is the planner's: a count that would cost more is estimated.
  # impact: { enabled: true, max-cost: 100000, timeout: 2s, sample-rows: 5 }

# Who may show somebody masked columns for a while (\`sallyport grants issue\`), and for how long at most.
grants:
  approvers: [group:reviewers]
  max: 8h

# ---- Everything below shows its default. ----

# gateway: { name: gateway-1 }

# Where everything is recorded. Many gateways share { eventstoredb: "\${env:EVENTSTORE_URL}" }.
# store: { embedded: { path: ./data/events.db } }

# What rules may look for in answers ("detect") beside cards, IBANs, e-mail and the like: RE2 patterns by name.
# detection:
#   patterns: { employee-id: { pattern: '\\bEMP-\\d{6}\\b', literal: EMP-, context: [employee, badge], confidence: 0.9 } }

# How gateways talk to each other: local, or { nats: { servers: ["nats://127.0.0.1:4222"] } }
# bus: local

# write-ahead: no command reaches a target before its decision is on disk. relaxed: faster; a crash loses the last moments.
# audit: write-ahead

# What is kept of each response, as the client got it (masked).
# recording: { bytes-per-command: 64KiB }

# limits:
#   sessions: 1000
#   sessions-per-person: 200
#   login-timeout: 15s
#   statement-bytes: 16MiB
#   store-backlog: 64MiB

# The local API that \`sallyport approvals\` and \`sallyport grants\` talk to: a socket, or { listen: 127.0.0.1:8443 }.
# api: { socket: ./data/api.sock }

# Read models for \`sallyport audit\` and \`sallyport replay\`; may be deleted at any time.
# projections: { path: ./data/projections.db }
`

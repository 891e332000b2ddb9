/** The demo starts its server in the same way, so it lives there. */
export * from '../../gateway/demo/postgres-server.ts'

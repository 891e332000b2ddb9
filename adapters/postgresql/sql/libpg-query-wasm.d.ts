/** The package's WebAssembly instance factory; it has no declarations of its own. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface LibPgQuery {
    _malloc(bytes: number): number
    _free(pointer: number): void
    _wasm_parse_query_raw(text: number): number
    _wasm_free_parse_result(result: number): void
    /** JSON, or a message; free it with `_wasm_free_string`. */
    _wasm_scan(text: number): number
    _wasm_free_string(text: number): void
    _wasm_parse_plpgsql(text: number): number
    lengthBytesUTF8(text: string): number
    stringToUTF8(text: string, pointer: number, bytes: number): void
    UTF8ToString(pointer: number): string
    getValue(pointer: number, type: 'i32'): number
    readonly HEAPU8: Uint8Array
  }
  export default function instantiate(): Promise<LibPgQuery>
}

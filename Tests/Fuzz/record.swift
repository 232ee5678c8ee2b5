import OomletJSON
import OomletJournal
import OomletModel

/// A line of the journal: what was read and is written again is the same.
@c(LLVMFuzzerTestOneInput)
func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let line = bytes(data, size)
  guard let json = try? JSON(parsing: line) else { return 0 }
  let encoded = json.encoded()
  check((try? JSON(parsing: encoded)) == json, "JSON is not what it was: \(String(decoding: encoded, as: UTF8.self))")
  guard let record = KillRecord(json: json) else { return 0 }
  let written = record.json.encoded()
  check(!written.isEmpty && !written.contains(UInt8(ascii: "\n")), "a record is not one line")
  let again = (try? JSON(parsing: written)).flatMap(KillRecord.init(json:))
  check(again == record, "a record is not what it was: \(record), now \(again.map { "\($0)" } ?? "none")")
  checkShown(record.sentence, "the sentence")
  checkShown(record.why, "the why")
  return 0
}

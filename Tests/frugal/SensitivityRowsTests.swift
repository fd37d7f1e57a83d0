import Methods
import Testing

@testable import frugal

@Suite struct SensitivityRowsTests {
  /// Budgets between which a small model has no other allocation are one row.
  @Test func equalAllocationsAreOneRow() {
    func row(_ budget: Int, _ form: StructuredForm, _ trained: Int) -> SensitivityReport.Listing.Row {
      .init(budget: budget, form: form, trained: trained, modules: 3, vectors: 4, singleEntries: 5000)
    }
    let found = SensitivityReport.rows([
      row(5000, .lora, 4990), row(50_000, .lora, 40_000), row(100_000, .lora, 40_000), row(200_000, .lora, 40_000),
      row(200_000, .adapter, 40_000),
    ])
    #expect(
      found == [
        ["lora", "5,000", "4,990", "3", "4", "5,000"], ["lora", "50,000–200,000", "40,000", "3", "4", "5,000"],
        ["adapter", "200,000", "40,000", "3", "4", "5,000"],
      ])
  }
}

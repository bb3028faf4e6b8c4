/// Everything in Templates/targets: start-up code, linker scripts, semihosting, the verification harness.
package enum TargetFiles {
  /// By file name. They include each other by name only, so they belong into one folder.
  package static let all: [String: [UInt8]] = [
    "boards.txt": PackageResources.boards_txt,
    "cortex_m_an500.ld": PackageResources.cortex_m_an500_ld,
    "cortex_m_an505.ld": PackageResources.cortex_m_an505_ld,
    "cortex_m_an547.ld": PackageResources.cortex_m_an547_ld,
    "cortex_m_mps2.ld": PackageResources.cortex_m_mps2_ld,
    "cortex_m_sections.ld": PackageResources.cortex_m_sections_ld,
    "measure.c": PackageResources.measure_c,
    "measure_main.c": PackageResources.measure_main_c,
    "riscv32_virt.ld": PackageResources.riscv32_virt_ld,
    "semihosting.c": PackageResources.semihosting_c,
    "semihosting.h": PackageResources.semihosting_h,
    "semihosting_stdio.c": PackageResources.semihosting_stdio_c,
    "simavr.c": PackageResources.simavr_c,
    "startup_cortex_m.c": PackageResources.startup_cortex_m_c,
    "startup_riscv32.c": PackageResources.startup_riscv32_c,
    "verify_harness.c": PackageResources.verify_harness_c,
    "verify_harness.h": PackageResources.verify_harness_h,
  ]
}

import Foundation

/// A job array for Slurm whose tasks share the runs of a sweep.
struct SlurmScript {
  let name: String
  let tasks, cores: Int
  /// As Slurm writes it: `4G`.
  let memory: String
  /// Absolute paths.
  let program, directory, plan, out: String
  /// The flags of the cache of features, and of the search.
  let flags: [String]

  /// The script, for `sbatch`.
  var text: String {
    """
    #!/bin/bash
    #SBATCH --job-name=\(name.filter { $0.isLetter || $0.isNumber || "-_.".contains($0) })
    #SBATCH --array=1-\(tasks)
    #SBATCH --cpus-per-task=\(cores)
    #SBATCH --mem=\(memory)
    #SBATCH --output="\(out.replacing("%", with: "%%"))/.sweep/task-%A_%a.log"
    #SBATCH --open-mode=append
    #SBATCH --requeue
    # Two minutes before its time is over a task stops after a step, and leaves what the next one resumes.
    #SBATCH --signal=TERM@120
    cd \(shellQuoted(directory)) || exit 1
    srun \(shellQuoted(program)) sweep \(shellQuoted(plan)) --out \(shellQuoted(out)) --threads \(cores)\(more)

    """
  }

  private var more: String { flags.map { " \(shellQuoted($0))" }.joined() }
}

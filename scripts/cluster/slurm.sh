#!/usr/bin/env bash
# A sweep as a Slurm job array; see README.md beside this file.
#   sbatch scripts/cluster/slurm.sh scenarios/sweep-azure392.toml
#   SHARDS=16 sbatch --array=3,7 scripts/cluster/slurm.sh scenarios/sweep-azure392.toml   # parts 3 and 7 of 16 again
#SBATCH --job-name=faassim-sweep
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=01:00:00
# A minute before the time is up, as Ctrl-C: what is done is kept, and the table of it is written.
#SBATCH --signal=B:INT@60
set -euo pipefail

scenario=${1:?usage: sbatch slurm.sh SCENARIO [options of faassim sweep]}
shift
# Said here and not left to faassim, so that single parts can be submitted again: Slurm then counts only these.
part="${SLURM_ARRAY_TASK_ID:?start it with sbatch}/${SHARDS:-$SLURM_ARRAY_TASK_COUNT}"

# In place of the shell, so that it gets the signal.
exec faassim sweep "$scenario" --shard "$part" --threads "${SLURM_CPUS_PER_TASK:-1}" "$@"

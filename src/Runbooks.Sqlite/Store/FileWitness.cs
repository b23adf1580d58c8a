using System.Globalization;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// The generation in a file beside the database. A database that is put back is older than it; a folder that is put back as a
/// whole has a copy of it, which the file system tells by its inode and the time at which it was made. Other rights, which Kubernetes gives a volume's
/// files at each mount, leave both as they are.
/// </summary>
internal sealed class FileWitness(string path) : IGenerationWitness
{
    public Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new WitnessedGeneration(number, FileStatus.MarkOf(path))
                : null);
        }
        catch (FileNotFoundException)
        {
            return Task.FromResult<WitnessedGeneration?>(null);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    public Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken)
    {
        try
        {
            // Whole or not at all: a host that dies here leaves the one before.
            var next = $"{path}.next";
            using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
                file.Flush(flushToDisk: true);
            }

            File.Move(next, path, overwrite: true);
            return Task.FromResult(new WitnessedGeneration(number, FileStatus.MarkOf(path)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"{path} cannot be written: {failure.Message}", failure);
        }
    }
}

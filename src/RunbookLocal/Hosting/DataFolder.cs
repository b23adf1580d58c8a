using RunbookLocal.Commands;

namespace RunbookLocal.Hosting;

/// <summary>The data folder, held by one host at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(FileStream hold) => _lock = hold;

    /// <exception cref="CommandException">It cannot be written to, or another host holds it.</exception>
    public static DataFolder Open(LocalSettings settings)
    {
        try
        {
            Directory.CreateDirectory(settings.DataDirectory);
            Directory.CreateDirectory(settings.OutboxDirectory);
            Directory.CreateDirectory(settings.EvidenceDirectory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The data folder {settings.DataDirectory} cannot be used: {failure.Message} Name another with --data.");
        }

        var file = Path.Combine(settings.DataDirectory, "lock");
        try
        {
            return new DataFolder(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            throw new CommandException($"Another host uses the data folder {settings.DataDirectory}. Stop it, or name another folder with --data.");
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new CommandException($"The data folder {settings.DataDirectory} cannot be written to: {failure.Message} Name another with --data.");
        }
    }

    public void Dispose() => _lock.Dispose();
}

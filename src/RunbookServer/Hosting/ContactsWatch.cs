using Runbooks.Notifications;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Takes over a changed contacts file while the host runs.</summary>
internal sealed class ContactsWatch(string file, ContactsReload reload, ILogger<ContactsWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file), Reload, stoppingToken);

    internal void Reload()
    {
        try
        {
            reload.Take(File.Exists(file) ? RunbookFolder.Read(file) : null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            logger.ContactsUnreadable(failure.Message);
        }
    }
}

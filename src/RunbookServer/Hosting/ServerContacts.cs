using Runbooks.Model.Definition;
using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Who is asked: in practice everybody, in the outbox; otherwise whoever <c>contacts.yaml</c> names.</summary>
internal static class ServerContacts
{
    public static IServiceCollection AddContacts(this IServiceCollection services, ServerSettings settings, RunbookFolder runbooks) =>
        !settings.Practice && Find(settings, runbooks) is { } file
            ? services
                .AddContacts(_ => RunbookFolder.Read(file))
                .AddSingleton(Beside(file))
                .AddHostedService(provider => ActivatorUtilities.CreateInstance<ContactsWatch>(provider, file))
            : services.AddSingleton(settings.Practice ? ContactBook.EveryoneOn("outbox", "terminal") : ContactBook.NobodyBut("outbox", "terminal"));

    /// <summary>Calendars that stand beside the contacts.</summary>
    internal static ReadBesideContacts Beside(string contacts) => async (name, cancellationToken) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(contacts))!, name) is var file && File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : null;

    /// <summary>What somebody should know before the first alert.</summary>
    public static void Say(ContactBook book, IEnumerable<Runbook> runbooks, ServerSettings settings)
    {
        var asked = runbooks.SelectMany(runbook => new[] { runbook.ApprovalOf(Phase.Mitigation), runbook.ApprovalOf(Phase.Resolution) })
            .OfType<Approval>().SelectMany(approval => approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)));
        if (book.Missing(asked) is { Count: > 0 } missing)
        {
            ConsoleOutput.Line($"[yellow]Runbooks ask contacts that nobody is behind: {ConsoleOutput.Plain(string.Join(", ", missing))}.[/] The fallback is asked instead; add them to {ContactsFile.FileName}.");
        }

        if (!settings.Practice && book.Names.Count == 0)
        {
            ConsoleOutput.Line($"[yellow]There is no {ContactsFile.FileName}: every message goes to the outbox, nobody is called, and nobody may approve.[/] Copy contacts.sample.yaml beside your runbooks; see docs/contacts.md.");
        }
    }

    /// <exception cref="CommandException">The contacts have errors.</exception>
    public static ContactBook Load(IServiceProvider services)
    {
        try
        {
            return services.GetRequiredService<ContactBook>();
        }
        catch (ContactsException broken)
        {
            throw new CommandException($"The contacts have errors; nothing was started.\n{broken.Message}", ExitCode.Failed);
        }
    }

    /// <summary>Beside the settings file, else beside the runbooks.</summary>
    internal static string? Find(ServerSettings settings, RunbookFolder runbooks) => Find(settings.ConfigFile, runbooks);

    /// <inheritdoc cref="Find(ServerSettings, RunbookFolder)"/>
    internal static string? Find(string? configFile, RunbookFolder runbooks)
    {
        var beside = configFile is { } config ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(config))!, ContactsFile.FileName) : null;
        return File.Exists(beside) ? beside : runbooks.Contacts;
    }
}

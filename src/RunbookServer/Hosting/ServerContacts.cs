using Runbooks.Integrations.OnCall;

namespace RunbookServer.Hosting;

/// <summary>Who is asked: in practice everybody, through the outbox; otherwise the people in <c>contacts.yaml</c>.</summary>
internal static class ServerContacts
{
    private static readonly ContactBook s_nobody = ContactBook.NobodyBut("outbox", "terminal");

    public static IServiceCollection AddContacts(this IServiceCollection services, ServerSettings settings) =>
        settings.Practice
            ? services.AddSingleton(ContactBook.EveryoneOn("outbox", "terminal"))
            : BesideSettings(settings) is { } file
            ? services
                .AddContacts(provider => provider.StartingContacts(RunbookFolder.Read(file)), s_nobody)
                .AddSingleton(provider => Beside(file, name => provider.GetRequiredService<RuleSetStatus>().FindCalendar(name)))
                .AddHostedService(provider => ActivatorUtilities.CreateInstance<ContactsWatch>(provider, file))
            : services.AddContactsOfRuleSet(s_nobody);

    public static RuleSetContacts ForRuleSet(IServiceProvider services, ServerSettings settings) =>
        settings.Practice ? new NoContacts()
        : BesideSettings(settings) is { } file ? new ContactsElsewhere(services, () => TryRead(file))
        : new OwnContacts(services);

    private static RunbookFile? TryRead(string file)
    {
        try
        {
            return RunbookFolder.Read(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            return null;
        }
    }

    internal static ReadBesideContacts Beside(string contacts, Func<string, string?> ofTeam) => async (name, cancellationToken) =>
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return ofTeam(name);
        }

        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(contacts))!, name);
        return File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : null;
    };

    public static void WarnAboutContacts(ContactBook book, IEnumerable<Runbook> runbooks, ServerSettings settings)
    {
        var asked = runbooks
            .SelectMany(runbook => new[] { runbook.ApprovalOf(Phase.Mitigation), runbook.ApprovalOf(Phase.Resolution) })
            .OfType<Approval>()
            .SelectMany(approval => approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)));
        if (book.Missing(asked) is { Count: > 0 } missing)
        {
            var names = ConsoleOutput.Plain(string.Join(", ", missing));
            ConsoleOutput.Line($"[yellow]Runbooks ask contacts that nobody is behind: {names}.[/] "
                + $"The fallback is asked instead; add them to {ContactsFile.FileName}.");
        }

        if (!settings.Practice && book.Names.Count == 0)
        {
            ConsoleOutput.Line($"[yellow]There is no {ContactsFile.FileName}: "
                + "every message goes to the outbox, nobody is called, and nobody may approve.[/] "
                + "Copy contacts.sample.yaml beside your runbooks; see docs/contacts.md.");
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

    internal static string? Find(string? configFile, RunbookFolder runbooks) => BesideSettings(configFile) ?? runbooks.Contacts;

    /// <summary>
    /// The text of the common contacts (beside the settings file, else with the runbooks) and of the teams' contacts, whatever is wrong
    /// with them. They are read before anything of the host is opened.
    /// </summary>
    internal static async Task<string> TextOfAsync(ServerSettings settings, IServiceProvider services, CancellationToken cancellationToken)
    {
        var people = await services.GetRequiredService<PublishedSets>().FindContactsAsync(cancellationToken);
        var common = BesideSettings(settings) is { } file ? RunbookFolder.Read(file) : people?.Common;
        var ofTeams = (people?.Teams ?? []).Select(team => team.Contacts);
        return string.Join('\n', ofTeams.Prepend(common).OfType<RunbookFile>().Select(contacts => contacts.Text));
    }

    private static string? BesideSettings(ServerSettings settings) => BesideSettings(settings.ConfigFile);

    private static string? BesideSettings(string? configFile)
    {
        if (configFile is null)
        {
            return null;
        }

        var contacts = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configFile))!, ContactsFile.FileName);
        return File.Exists(contacts) ? contacts : null;
    }
}

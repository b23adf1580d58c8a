using Runbooks.Engine;

namespace RunbookServer.Commands;

/// <summary><c>runbook oncall</c>: who is on call now by the schedules of the contacts, asked with a host's settings.</summary>
internal static class OnCallCommand
{
    public static Command Build()
    {
        var folder = new RunbookFolderOption();
        var config = new Option<string?>("--config")
        {
            Description = "A JSON file with settings, as serve takes it. contacts.yaml is looked for beside it, then beside the runbooks.",
        };
        var json = new Option<bool>("--json") { Description = "As JSON, for another program." };
        var command = new Command(
            "oncall", "Asks each schedule of the contacts who is on call now, and says from where it knows. Tells nobody.")
        {
            folder,
            config,
            json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = SettingsFile.Read(parsed.GetValue(config));
            var runbooks = folder.Of(parsed);
            var file = ServerContacts.Find(parsed.GetValue(config), runbooks)
                ?? throw new CommandException(
                    $"There is no {ContactsFile.FileName} beside the settings or the runbooks. Name the folder with --runbooks.");
            var beside = ServerContacts.Beside(file, name => TextIn(runbooks, name));
            await using var services = OfflineServices.Build(settings, beside: beside);
            var answers = await AskAsync(services, Read(services, file, runbooks), cancellationToken);
            if (parsed.GetValue(json))
            {
                var shown = answers.Select(answer => new { answer.Contact, answer.People, answer.From, answer.Source, answer.Until, answer.Words });
                ConsoleOutput.Json(JsonSerializer.SerializeToNode(shown, DurableJson.Options));
            }
            else
            {
                ConsoleOutput.Raw(answers.Count == 0
                    ? "No contact is a schedule."
                    : string.Join('\n', answers.Select(answer => $"{answer.Contact}: {answer.Words}")));
            }

            return answers.All(answer => answer.From == OnCallFrom.Schedule) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static string? TextIn(RunbookFolder runbooks, string name)
    {
        var calendar = Path.Combine(runbooks.Path, name);
        return File.Exists(calendar) ? File.ReadAllText(calendar) : null;
    }

    private static ContactBook Read(ServiceProvider services, string file, RunbookFolder runbooks)
    {
        var result = services.GetRequiredService<ContactsFile>()
            .Read(new ContactFiles(RunbookFolder.Read(file), runbooks.Teams()), withSettings: false);
        return result.Book
            ?? throw new CommandException($"The contacts have errors.\n{string.Join('\n', result.Errors)}", ExitCode.Failed);
    }

    private static async Task<IReadOnlyList<OnCallRecord>> AskAsync(
        ServiceProvider services, ContactBook book, CancellationToken cancellationToken)
    {
        var directory = ActivatorUtilities.CreateInstance<OnCallDirectory>(
            services, new CurrentContacts(book), ActivatorUtilities.CreateInstance<OnCallAnswers>(services));
        return (await directory.ResolveAllAsync(cancellationToken)).OnCall;
    }
}

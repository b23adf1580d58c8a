using Runbooks.Engine;
using RunbookServer.Reporting;

namespace RunbookServer.Commands;

/// <summary><c>runbook publish DIR --to PLACE</c>: puts a whole rule set in force at once, and goes back to an earlier one.</summary>
internal static class PublishCommand
{
    public static Command Build()
    {
        var options = new PublishOptions();
        var command = new Command(
            "publish",
            "Checks a folder of runbooks, runs their tests and publishes them as a whole; "
            + "each host that reads that place takes them in or says why not. Also lists what was published, and goes back.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            options.RefuseIdle(parsed);
            var settings = options.SettingsOf(parsed);
            var turn = new Turn(Place(parsed.GetRequiredValue(options.To), settings), options.Settings.Of(parsed, settings), parsed, options);
            return parsed.GetValue(options.List)
                ? await turn.ListAsync(cancellationToken)
                : parsed.GetResult(options.RollBack) is null
                ? await turn.PublishAsync(cancellationToken)
                : await turn.RollBackAsync(cancellationToken);
        });
        return command;
    }

    private static IRuleSetPlace Place(string to, IConfiguration settings) =>
        RunbookFolder.ContainerOf(to) is { } container
            ? RunbookFolder.Open(container, settings)
            : Directory.Exists(to)
            ? new FolderPlace(Path.GetFullPath(to))
            : throw new CommandException(
                $"There is no folder {to}. Make it, or name the address of a blob container: "
                + "https://ACCOUNT.blob.core.windows.net/CONTAINER.");

    private sealed class Turn(IRuleSetPlace place, HostSettings host, ParseResult parsed, PublishOptions options)
    {
        private readonly Publisher _publisher = new(place, TimeProvider.System);
        private readonly PublishedSets _sets = new(place);

        public async Task<int> ListAsync(CancellationToken cancellationToken)
        {
            var log = await _sets.FindLogAsync(cancellationToken);
            if (parsed.GetValue(options.Json))
            {
                ConsoleOutput.Json(new JsonArray([.. (log?.Publications ?? []).Select(Json)]));
                return ExitCode.Done;
            }

            if (log is null)
            {
                ConsoleOutput.Raw($"Nothing was published to {place.Address}.");
                return ExitCode.Done;
            }

            foreach (var publication in log.Publications)
            {
                var at = publication.At.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
                var source = publication.Source is { } known ? $"{known}, " : "";
                var inForce = publication == log.Current ? "  <- in force" : "";
                ConsoleOutput.Raw($"{publication.Number,4}  {publication.Version}  {at}  {source}"
                    + $"published by {publication.By}{Why(publication)}{inForce}");
            }

            return ExitCode.Done;
        }

        public async Task<int> PublishAsync(CancellationToken cancellationToken)
        {
            var folder = RunbookFolder.Find(parsed.GetValue(options.Folder)?.FullName);
            if (folder.IsShipped || !folder.Files().Any())
            {
                var missing = folder.IsShipped ? "folder ./runbooks here" : $"runbook in {folder.Path}";
                throw new CommandException($"There is no {missing}. Name the folder to publish: runbook publish DIR --to PLACE");
            }

            var state = await _publisher.LookAsync(cancellationToken);
            var before = await BeforeAsync(state, cancellationToken);
            var files = (await new FolderPlace(folder.Path).ReadPlainAsync(cancellationToken)).ToList();
            PublishedContacts.AddTo(files, parsed.GetValue(options.Contacts), before, place.Address);
            Publisher.CheckSize(files);
            var set = RuleSet.Of(files);
            var report = ValidateCommand.Check(Shown(set, folder), isWhole: true, parsed.GetValue(options.Strict), host);
            if (report.HasFailed)
            {
                return Refuse(report, ValidateCommand.Print);
            }

            if (!parsed.GetValue(options.NoTests))
            {
                var tests = await TestCommand.RunAsync([.. folder.Files()], host);
                if (tests.HasFailed)
                {
                    return Refuse(tests, TestCommand.Print);
                }
            }

            var origin = await options.OriginOf(parsed).OfAsync(folder.Path, cancellationToken);
            return await FinishAsync(before, set, dry => dry
                ? Task.FromResult(new PublishResult(origin, PublishOutcome.Published))
                : _publisher.PublishAsync(state, files, origin, cancellationToken), cancellationToken);
        }

        public async Task<int> RollBackAsync(CancellationToken cancellationToken)
        {
            if (parsed.GetValue(options.Reason) is null)
            {
                throw new CommandException("Say with --reason why it goes back: it is on the record and on every card.");
            }

            var state = await _publisher.LookAsync(cancellationToken);
            var log = LogOf(state)
                ?? throw new CommandException($"Nothing was published to {place.Address}: there is nothing to go back to.");
            var earlier = parsed.GetValue(options.RollBack) is { } named
                ? log.Find(named)
                    ?? throw new CommandException($"No publication is called {named}. See: runbook publish --to {place.Address} --list")
                : log.Publications.FirstOrDefault(publication => publication.Set != log.Current.Set)
                    ?? throw new CommandException("There is no earlier set to go back to.");
            if (earlier.Set == log.Current.Set)
            {
                throw new CommandException($"Publication {earlier.Number} has the files that are in force already.");
            }

            var set = await _sets.ReadAsync(earlier, cancellationToken);
            var report = ValidateCommand.Check(set, isWhole: true, strict: false, host);
            if (report.HasFailed)
            {
                return Refuse(report, ValidateCommand.Print);
            }

            var origin = options.OriginOf(parsed).WhoAndWhy();
            return await FinishAsync(await BeforeAsync(state, cancellationToken), set, dry => dry
                ? Task.FromResult(new PublishResult(earlier, PublishOutcome.Published))
                : _publisher.RollBackAsync(state, earlier, origin, cancellationToken), cancellationToken);
        }

        private async Task<int> FinishAsync(
            RuleSet? before, RuleSet after, Func<bool, Task<PublishResult>> publish, CancellationToken cancellationToken)
        {
            using var services = OfflineServices.Build(host: host);
            var changes = RuleSetDifference.Of(before, after, services.GetRequiredService<RunbookReader>());
            var dry = parsed.GetValue(options.DryRun);
            var (publication, outcome) = await publish(dry);
            var asJson = parsed.GetValue(options.Json);
            if (asJson)
            {
                ConsoleOutput.Json(new JsonObject
                {
                    ["outcome"] = dry ? "dryRun" : CamelCase.Of(outcome),
                    ["publication"] = dry || publication is null ? null : Json(publication),
                    ["changes"] = new JsonArray([.. changes.Select(change => (JsonNode)change)]),
                });
            }

            if (outcome == PublishOutcome.SomebodyWasFirst)
            {
                var first = publication is null ? "Somebody" : $"{publication.By} published {publication.Name}{Why(publication)} and";
                ConsoleOutput.Error($"{first} was first; nothing was changed. "
                    + $"Look at what is in force, and publish again on top of it: runbook publish --to {place.Address} --list");
                return ExitCode.Failed;
            }

            if (!asJson)
            {
                Print(publication!, dry, outcome, changes, before);
            }

            if (outcome == PublishOutcome.Published && !dry)
            {
                await PruneAsync(cancellationToken);
            }

            return ExitCode.Done;
        }

        private void Print(Publication publication, bool dry, PublishOutcome outcome, IReadOnlyList<string> changes, RuleSet? before)
        {
            foreach (var change in changes)
            {
                ConsoleOutput.Raw(change);
            }

            var hidesPlainFiles = before is { Publication: null, Runbooks.Count: > 0 };
            ConsoleOutput.Raw((dry, outcome) switch
            {
                (true, _) => $"{WouldChange(publication, changes.Count, hidesPlainFiles)} Nothing was published.",
                (_, PublishOutcome.Unchanged) => $"The same files are in force already, as publication {publication.Number}.",
                _ => $"Published at {place.Address}: {publication.Name}. "
                    + "Hosts take it over at their next look (every 30 s; a Functions app as it is set), or refuse it and page; "
                    + "the runbooks page of each says which one it uses."
                    + (hidesPlainFiles ? " The plain files there are no longer read." : ""),
            });
        }

        private static string WouldChange(Publication publication, int changes, bool hidesPlainFiles)
        {
            if (changes == 0)
            {
                return $"No rule would change{(hidesPlainFiles ? ", but the plain files there would no longer be read" : "")}.";
            }

            var source = publication.Source is { } known ? $", from {known}" : "";
            return $"{CountText.Format(changes, "change")}{source}.";
        }

        /// <summary>A publication is in force even where the old files cannot be removed after it.</summary>
        private async Task PruneAsync(CancellationToken cancellationToken)
        {
            try
            {
                await _publisher.PruneAsync(cancellationToken);
            }
            catch (StoreUnavailableException failure)
            {
                ConsoleOutput.Note($"What is no longer needed could not be removed: {failure.Message} The next publication tries again.");
            }
        }

        /// <returns>Null where nothing was published.</returns>
        /// <exception cref="InvalidDataException">The record is damaged.</exception>
        private static PublicationLog? LogOf(PublishedState state) =>
            state.Damage is { } damage ? throw new InvalidDataException(damage) : state.Log;

        /// <returns>Null where it cannot be read.</returns>
        private async Task<RuleSet?> BeforeAsync(PublishedState state, CancellationToken cancellationToken)
        {
            try
            {
                return LogOf(state) is { } log
                    ? await _sets.ReadAsync(log.Current, cancellationToken)
                    : await _sets.ReadPlainAsync(cancellationToken);
            }
            catch (InvalidDataException broken)
            {
                ConsoleOutput.Note($"What is in force cannot be read, so everything counts as added: {broken.Message}");
                return null;
            }
        }

        /// <summary>With file names relative to the current folder, as whoever publishes sees them.</summary>
        private static RuleSet Shown(RuleSet set, RunbookFolder folder)
        {
            return set with
            {
                Runbooks = [.. set.Runbooks.Select(file => Here(file) with { Team = Of(file.Team) })],
                Teams = [.. set.Teams.Select(team => Of(team)!)],
            };

            RunbookFile Here(RunbookFile file) => file with
            {
                Name = Path.GetRelativePath(".", Path.Combine(folder.Path, file.Name)),
            };

            TeamFiles? Of(TeamFiles? team) => team is null
                ? null
                : new(team.Folder, Here(team.File), team.Contacts is { } contacts ? Here(contacts) : null);
        }

        private int Refuse(Report report, Action<Report> print)
        {
            if (parsed.GetValue(options.Json))
            {
                ConsoleOutput.Raw(JsonReport.Write(report));
            }
            else
            {
                print(report);
            }

            ConsoleOutput.Error("Nothing was published.");
            return ExitCode.Failed;
        }

        private static string Why(Publication publication)
        {
            var goingBack = publication.RollsBackTo is { } earlier ? $", going back to {earlier}" : "";
            return publication.Reason is { } reason ? $"{goingBack}: {reason}" : goingBack;
        }

        private static JsonNode? Json(Publication publication) => JsonSerializer.SerializeToNode(publication, DurableJson.Options);
    }
}

namespace RunbookServer.Commands;

/// <summary><c>runbook verify-audit FILE</c>: whether an exported record is as it was written.</summary>
internal static class VerifyAuditCommand
{
    private const long MaxBytes = 256 * 1024 * 1024;

    public static Command Build()
    {
        var file = new Argument<FileInfo>("file") { Description = "What GET /api/incidents/{id}/audit gave, one JSON object a line." };
        var command = new Command("verify-audit", "Checks that nothing in an incident's exported record was altered, removed or added.")
        {
            file,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var chosen = parsed.GetRequiredValue(file);
            if (!chosen.Exists || chosen.Length > MaxBytes)
            {
                ConsoleOutput.Error($"{chosen.FullName} {(chosen.Exists ? "is too large to be an incident's record" : "does not exist")}.");
                return ExitCode.Usage;
            }

            var verdict = AuditTrail.Verify(await File.ReadAllLinesAsync(chosen.FullName, cancellationToken));
            if (verdict.IsIntact)
            {
                ConsoleOutput.Raw(verdict.Message);
                return ExitCode.Done;
            }

            ConsoleOutput.Error($"{chosen.Name}:{verdict.Line}: {verdict.Message}");
            return ExitCode.Failed;
        });
        return command;
    }
}

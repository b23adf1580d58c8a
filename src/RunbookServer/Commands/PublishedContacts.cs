namespace RunbookServer.Commands;

internal static class PublishedContacts
{
    /// <summary>Contacts that are kept elsewhere are named with an option. Where the set has none, those in force stay.</summary>
    public static void AddTo(List<RunbookFile> files, string? file, RuleSet? before, string place)
    {
        if (file is { } named)
        {
            files.RemoveAll(known => known.Name == ContactsFile.FileName);
            var contacts = File.Exists(named)
                ? RunbookFolder.Read(named)
                : throw new CommandException($"There is no file {named}. Name the contacts with --contacts.");
            files.Add(contacts with { Name = ContactsFile.FileName });
            AddMissing(files, CalendarsBeside(named));
        }
        else if (!files.Exists(known => known.Name == ContactsFile.FileName))
        {
            if (before is null)
            {
                throw new CommandException(
                    $"There is no {ContactsFile.FileName} here, and that of the set in force cannot be read and would be lost. "
                    + "Name it with --contacts. "
                    + $"If the set had none, remove {PublicationLog.Name} at {place} first.");
            }

            ConsoleOutput.Note(before.Contacts is null
                ? "There are no contacts, neither here nor there: messages reach nobody, "
                    + "unless hosts have contacts of their own beside their settings (docs/contacts.md)."
                : $"There is no {ContactsFile.FileName} here: the contacts that are in force stay.");
            AddMissing(files, before.Contacts is { } inForce ? [inForce, .. CalendarsOf(before)] : []);
        }
    }

    private static IEnumerable<RunbookFile> CalendarsBeside(string contacts) => Directory
        .EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(contacts))!)
        .Where(file => RuleSet.IsCalendar(Path.GetFileName(file)))
        .Select(file => RunbookFolder.Read(file) with { Name = Path.GetFileName(file) });

    private static IEnumerable<RunbookFile> CalendarsOf(RuleSet set) => set.Calendars
        .Where(calendar => RuleSet.IsCalendar(calendar.Key))
        .Select(calendar => new RunbookFile(calendar.Key, calendar.Value));

    private static void AddMissing(List<RunbookFile> files, IEnumerable<RunbookFile> others) =>
        files.AddRange(others.Where(other => !files.Exists(file => file.Name == other.Name)).ToList());
}

using System.Net.Mail;

namespace Runbooks.Notifications;

/// <summary>Finds who is behind contacts at this moment. For a schedule it is the person whom it names now.</summary>
public sealed class OnCallDirectory(CurrentContacts contacts, OnCallAnswers answers, IEnumerable<INotifier> channels, TimeProvider time)
{
    private const int LongestName = 80;

    /// <summary>The channel for people whom the contacts do not know.</summary>
    private const string Mail = "email";

    private readonly bool _mails = channels.Any(channel => channel is { Channel: Mail, ConfigurationError: null });

    public Task<ResolvedContacts> ResolveAllAsync(CancellationToken cancellationToken) =>
        ResolveAsync(contacts.Book.Schedules, "", [], cancellationToken);

    public Task<ResolvedContacts> ResolveAsync(IEnumerable<string> names, CancellationToken cancellationToken) =>
        ResolveAsync(names, "", [], cancellationToken);

    /// <param name="recorded">A schedule is not asked again where this has its people for the same message.</param>
    public async Task<ResolvedContacts> ResolveAsync(
        IEnumerable<string> names, string message, IReadOnlyList<OnCallRecord> recorded, CancellationToken cancellationToken)
    {
        var book = contacts.Book;
        var schedules = book.SchedulesAmong(names);
        if (schedules.Count == 0)
        {
            return new(book, []);
        }

        var resolved = await Task.WhenAll(schedules.Select(contact => ResolveOnceAsync(contact)));
        return new(book.With(resolved.Select(answer => answer.Contact)), [.. resolved.Select(answer => answer.Record)]);

        async Task<(Contact Contact, OnCallRecord Record)> ResolveOnceAsync(Contact contact)
        {
            if (recorded.LastOrDefault(record => record.Message == message && ContactBook.IsSameName(record.Contact, contact.Name)) is { } known)
            {
                var people = known.People.Select(name => book.FindRecipient(name, contact.Name)).OfType<Recipient>();
                return (contact with { Recipients = [.. people] }, known);
            }

            return await ResolveAsync(book, contact, message, cancellationToken);
        }
    }

    /// <summary>
    /// For questions that count people: an address also counts as shared with those whom other messages of the question ask, now or later,
    /// and with those who were on call when they were asked.
    /// </summary>
    public async Task<ResolvedContacts> ForAsync(ResolvedContacts people, IEnumerable<Gate> gates, CancellationToken cancellationToken)
    {
        var counting = gates.Where(gate => gate.CountsPeople).ToList();
        if (counting.Count == 0)
        {
            return people;
        }

        List<string> contactsAsked = [.. counting.SelectMany(EverAsked).Distinct(StringComparer.OrdinalIgnoreCase)];
        var book = (await ResolveAsync(contactsAsked, cancellationToken)).Book;
        var onCallBefore = counting
            .SelectMany(gate => gate.OnCall)
            .SelectMany(record => record.People, (record, name) => (Name: name, record.Contact))
            .Distinct()
            .Select(person => book.FindRecipient(person.Name, person.Contact))
            .OfType<Recipient>();
        return people with { Beside = [.. book.RecipientsOf(contactsAsked), .. onCallBefore] };

        static IEnumerable<string> EverAsked(Gate gate) =>
            [.. gate.Approvers, .. gate.Reminders.SelectMany(reminder => reminder.To), gate.Fallback ?? Approval.FallbackContact, Approval.FallbackContact];
    }

    private async Task<(Contact Contact, OnCallRecord Record)> ResolveAsync(
        ContactBook book, Contact contact, string message, CancellationToken cancellationToken)
    {
        var schedule = contact.Schedule!;
        var answer = await answers.AskAsync(schedule, cancellationToken);
        var source = answers.Describe(schedule);
        var shifts = answer.Now.Select(shift => (Shift: shift, Known: book.FindOnCall(shift.Person.Keys, contact.Name))).ToList();
        var known = shifts.Select(shift => shift.Known).OfType<Recipient>().DistinctBy(person => person.Name).ToList();
        var strangers = shifts.Where(shift => shift.Known is null).Select(shift => shift.Shift.Person).DistinctBy(person => person.Name).ToList();
        List<(OnCallPerson Person, Recipient Recipient)> mailed = schedule.MailUnknown && _mails
            ? [.. from person in strangers
                let recipient = StrangerOf(person, source, book.IsSeveral(person.Keys, contact.Name))
                where recipient is not null
                select (person, recipient!)]
            : [];
        var (recipients, from) = known.Count > 0 ? (known, OnCallFrom.Schedule)
            : schedule.Fallback.Count > 0 ? ([.. schedule.Fallback], OnCallFrom.NamedFallback)
            : ((List<Recipient>)[.. await LastInLineAsync(book, contact, cancellationToken)], OnCallFrom.FallbackContact);
        var asked = recipients.Where(recipient => !recipient.IsStranger).ToList();
        var until = EndOf(shifts.Where(shift => known.Count == 0 || shift.Known is not null).Select(shift => shift.Shift));
        var now = time.GetUtcNow();
        var unknown = strangers.ConvertAll(person => book.IsSeveral(person.Keys, contact.Name)) switch
        {
            var several when !several.Contains(true) => "not in the contacts",
            var several => several.Contains(false) ? "not in the contacts, or there under several names" : "in the contacts under several names",
        };
        string[] sentences =
        [
            Found(known, strangers, unknown, source, until, answer),
            .. Instead(from, book.FallbackOf(contact.Name), asked),
            .. Strangers(known.Count > 0, strangers, unknown, [.. mailed.Select(stranger => stranger.Person)]),
        ];
        var record = new OnCallRecord(contact.Name, message, [.. asked.Select(recipient => recipient.Name)], string.Join(' ', sentences), now)
        {
            Source = source,
            From = from,
            Until = known.Count > 0 ? until : null,
        };
        return (contact with { Recipients = [.. recipients, .. mailed.Select(stranger => stranger.Recipient)] }, record);
    }

    private async Task<IReadOnlyList<Recipient>> LastInLineAsync(ContactBook book, Contact contact, CancellationToken cancellationToken)
    {
        if (!book.TryFind(book.FallbackOf(contact.Name), out var fallback) || ContactBook.IsSameName(fallback.Name, contact.Name))
        {
            return [];
        }

        return fallback.Schedule is null ? fallback.Recipients : (await ResolveAsync(book, fallback, "", cancellationToken)).Contact.Recipients;
    }

    private static string Found(List<Recipient> known, List<OnCallPerson> strangers, string unknown, string source, DateTimeOffset? until, OnCallAnswer answer)
    {
        var end = until is { } at ? $" until {GateText.DayAndClock(at)}" : "";
        var sentence = (known.Count, strangers.Count) switch
        {
            ( > 0, _) => $"{Names(known)} {CountText.Are(known.Count)} on call by {source}{end}.",
            (_, > 0) => $"{Names(strangers)} {CountText.Are(strangers.Count)} on call by {source}{end}, but {unknown}.",
            _ when answer is { Failure: { } why, KnownAt: null } => $"{CleanText.Capital(source)} could not be asked: {why}",
            _ => $"Nobody is on call by {source}.",
        };
        return answer.KnownAt is { } then
            ? $"{sentence} That was so at {GateText.DayAndClock(then)}; the schedule cannot be asked now: {answer.Failure}"
            : sentence;
    }

    private static IEnumerable<string> Instead(OnCallFrom from, string last, List<Recipient> recipients) => from switch
    {
        OnCallFrom.NamedFallback => [$"{Names(recipients)} {CountText.Are(recipients.Count)} the named fallback."],
        OnCallFrom.FallbackContact when recipients.Count > 0 => [$"No fallback is named for it, so the contact '{last}' is asked: {Names(recipients)}."],
        OnCallFrom.FallbackContact => ["No fallback is named for it."],
        _ => [],
    };

    private static IReadOnlyList<string> Strangers(bool beside, List<OnCallPerson> strangers, string unknown, List<OnCallPerson> mailed) => Lines.Of(
        beside && strangers.Count > 0
            ? $"{Names(strangers)} {CountText.Are(strangers.Count)} too, but {unknown}{(mailed.Count > 0 ? "" : ", so not asked")}."
            : null,
        mailed.Count > 0 ? $"{Names(mailed)} {CountText.Are(mailed.Count)} sent an e-mail, and may not decide." : null);

    /// <summary>Null unless the mail address is valid: it is text from outside.</summary>
    private static Recipient? StrangerOf(OnCallPerson person, string source, bool isSeveral)
    {
        if (person.Mail is not { Length: <= 254 } mail || !MailAddress.TryCreate(mail, out var address) || address.Address != mail)
        {
            return null;
        }

        var trouble = isSeveral ? "have you under several names, so that nobody can tell which is meant" : "do not know you";
        return new(mail, [new Address(Mail, mail, mail)])
        {
            IsStranger = true,
            Why = $"You are on call by {source}, and the contacts of this host {trouble}.",
        };
    }

    private static DateTimeOffset? EndOf(IEnumerable<OnCallShift> shifts) =>
        shifts.Select(shift => shift.Until).Distinct().ToList() is [{ } only] ? only : null;

    private static string Names(IEnumerable<OnCallPerson> people) => Names(people.Select(person => Clean(person.Name)));

    private static string Names(IEnumerable<Recipient> people) => Names(people.Select(person => person.Name));

    private static string Names(IEnumerable<string> names) =>
        names.Distinct().ToList() is { Count: > 1 } many ? $"{string.Join(", ", many[..^1])} and {many[^1]}" : names.First();

    private static string Clean(string name)
    {
        var printable = new string([.. name.Select(letter => char.IsControl(letter) ? ' ' : letter)]);
        var oneLine = string.Join(' ', printable.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return Clip.To(Redactor.Redact(oneLine), LongestName);
    }
}

/// <param name="Book">Has the people whom schedules name behind their contacts.</param>
public sealed record ResolvedContacts(ContactBook Book, IReadOnlyList<OnCallRecord> OnCall)
{
    /// <summary>Those whom other messages of the same question go to, now or later.</summary>
    internal IReadOnlyList<Recipient> Beside { get; init; } = [];

    /// <summary>Everybody behind these contacts, each once, with the addresses marked that several of them share.</summary>
    public IReadOnlyList<Recipient> RecipientsOf(IEnumerable<string> names)
    {
        List<Recipient> behind = [.. Book.RecipientsOf(names)];
        List<Recipient> once = [.. behind.DistinctBy(NotificationDispatcher.NameOf)];
        var shared = behind
            .Concat(Beside)
            .SelectMany(recipient => recipient.Addresses)
            .GroupBy(PlaceOf, address => address.Recipient)
            .Where(place => place.Distinct(StringComparer.OrdinalIgnoreCase).Count() > 1)
            .Select(place => place.Key)
            .ToHashSet();
        return shared.Count == 0 ? once : [.. once.Select(recipient => recipient.IsRoom ? recipient : Marked(recipient))];

        static (string Channel, string To) PlaceOf(Address address) => (address.Channel, address.To);

        Recipient Marked(Recipient person) =>
            person with { Addresses = [.. person.Addresses.Select(address => address with { IsShared = shared.Contains(PlaceOf(address)) })] };
    }

    public IReadOnlyList<string> ContactsOf(IEnumerable<string> names, Recipient recipient) =>
        [.. names.Where(name => Book.RecipientsOf([name]).Any(behind => NotificationDispatcher.NameOf(behind) == NotificationDispatcher.NameOf(recipient)))];

    public bool IsNobodyBehind(string name) =>
        Book.Missing([name]).Count > 0 || OnCallOf([name]).Any(record => record.From == OnCallFrom.FallbackContact);

    public IReadOnlyList<OnCallRecord> OnCallOf(IEnumerable<string> names) =>
        [.. OnCall.Where(record => names.Contains(record.Contact, StringComparer.OrdinalIgnoreCase))];
}

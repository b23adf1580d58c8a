using Runbooks.Guardrails;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Approvals;
using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;
using Runbooks.Storage;
using TestKit.Engine;
using TestKit.Storage;

namespace TestKit.People;

/// <summary>Everything between an incident and its people, put together by hand: the store in memory, the channels scripted.</summary>
public sealed class ApprovalOffice
{
    public ApprovalOffice(ContactBook? book = null, params IReadOnlyList<INotifier> channels)
    {
        var notifiers = channels.Count > 0 ? channels : [Channel];
        Book = book ?? ContactBook.EveryoneOn(notifiers[0].Channel);
        Contacts = new CurrentContacts(Book);
        Directory = new OnCallDirectory(Contacts, new OnCallAnswers([Rota], new FixedOptions<OnCallOptions>(new()), Time, NullLogger<OnCallAnswers>.Instance), [], Time);
        Engine = new RecordingEngine(Time);
        Signer = new LinkSigner(Options.Create(Keys("k1")));
        Cards = new IncidentCards(new DecisionLinks(Signer, Options.Create(new PublicAddressOptions())));
        Notifier = NotifierOn(Store, notifiers);
        Updater = new NotificationUpdater(Store, new PinnedRunbooks(Store), DispatcherOn(notifiers), Cards, Time);
        Approvals = ApprovalsOn(Store);
    }

    public FakeTimeProvider Time { get; } = new(Some.Time);
    public InMemoryIncidentStore Store { get; } = new();
    public InMemorySharedState State { get; } = new();
    public ScriptedChannel Channel { get; } = new();
    public ScriptedSchedule Rota { get; } = new();
    public ContactBook Book { get; }
    public CurrentContacts Contacts { get; }
    public OnCallDirectory Directory { get; }
    public RecordingEngine Engine { get; }
    public LinkSigner Signer { get; }
    public IncidentCards Cards { get; }
    public IncidentNotifier Notifier { get; }
    public NotificationUpdater Updater { get; }
    public ApprovalService Approvals { get; }
    public IncidentVerbService Verbs => new(
        Store, new PinnedRunbooks(Store), Engine, Updater,
        new FollowUps(Store, new NextIncident(Store, new PinnedRunbooks(Store), new FollowingMode(new FixedOptions<SafetyOptions>(new()), _ => null), () => Engine, Time, NullLogger<NextIncident>.Instance), Time),
        new EndHooks([], Store, Time), Time, NullLogger<IncidentVerbService>.Instance);

    /// <summary>As random as a key has to be, and the same in each run.</summary>
    public static string LinkSecret(string id) => Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id)));

    public static LinkSigningOptions Keys(params string[] ids)
    {
        var options = new LinkSigningOptions();
        foreach (var id in ids)
        {
            options.Keys.Add(new LinkSigningKey { Id = id, Secret = LinkSecret(id) });
        }

        return options;
    }

    public static AddressSecrets Secrets(params (string Name, string Value)[] settings) => new(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());

    public IncidentNotifier NotifierOn(IIncidentStore store, IReadOnlyList<INotifier> channels) =>
        new(DispatcherOn(channels), Directory, store, Time, NullLogger<IncidentNotifier>.Instance);

    private NotificationDispatcher DispatcherOn(IReadOnlyList<INotifier> channels)
    {
        var client = new ChannelClient(channels, Time, NullLogger<ChannelClient>.Instance);
        return new(client, UnendedOn(client), Directory, Time, NullLogger<NotificationDispatcher>.Instance);
    }

    private UnendedAlerts UnendedOn(ChannelClient client) => new(State, Store, client, Time, NullLogger<UnendedAlerts>.Instance);

    public ApproverRules Rules => new(Contacts, Directory);

    public ApprovalService ApprovalsOn(IIncidentStore store, IIncidentEngine? engine = null) =>
        new(store, engine ?? Engine, Rules, new ClosedGuards(new GuardrailEvaluator([]), new PinnedRunbooks(store)), Updater, Time, NullLogger<ApprovalService>.Instance);
}

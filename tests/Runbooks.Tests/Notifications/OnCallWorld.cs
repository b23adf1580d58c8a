using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>Contacts of which two are schedules, with what each schedule says and every channel in the test's hand.</summary>
public abstract class OnCallWorld : IAsyncDisposable
{
    private protected static readonly Recipient s_ada = Person("ada"), s_grace = Person("grace"), s_carol = Person("carol"), s_ben = Person("ben"), s_linus = Person("linus");

    private protected readonly ScriptedSchedule _rota = new(), _other = new("other");
    private protected readonly ScriptedChannel _chat = new("chat"), _mail = new("email");
    private protected IncidentWorld? _world;

    private const string Id = "R1";

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Recipient Person(string name) => new(name, [new("chat", name, name)]);

    private protected static Runbook Asking(Approval approval) => Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = approval } };

    private protected static ContactBook Book(IReadOnlyList<Recipient>? fallback = null, bool mailUnknown = false, IReadOnlyList<Recipient>? people = null) => new(
        [
            new("oncall", []) { Schedule = new("rota", Id, fallback ?? [s_ben]) { MailUnknown = mailUnknown } },
            new("second", []) { Schedule = new("other", Id, [s_ben]) },
            new("platform-lead", [s_linus]),
            new(ContactBook.Fallback, [s_linus]),
        ],
        people ?? [s_ada, s_grace, s_carol, s_ben, s_linus]);

    private protected static ContactBook WithScheduleAsFallback(IReadOnlyList<Recipient> fallback) => Book(fallback, mailUnknown: true)
        .With([new(ContactBook.Fallback, []) { Schedule = new("other", Id, [s_linus]) { MailUnknown = true } }]);

    private protected IncidentWorld World(ContactBook book) => new(configure: services => services
        .AddSingleton(book).AddSingleton<INotifier>(_chat).AddSingleton<INotifier>(_mail).AddSingleton<IOnCallSource>(_rota).AddSingleton<IOnCallSource>(_other));

    private protected Task<Incident> OpenAsync(ContactBook? book = null, Runbook? runbook = null, Incident? incident = null)
    {
        _world = World(book ?? Book());
        return _world.OpenAsync(runbook ?? Asking(Given.Approval()), incident);
    }

    private protected async Task<DecisionReceipt> DecideAsync(string id, string person)
    {
        var receipt = await _world!.Get<ApprovalService>().DecideAsync(id, null, new DecisionRequest(DecisionVerb.Approve, person, "api"), Cancel);
        await _world.SettleAsync(id);
        return receipt;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_world is not null)
        {
            await _world.DisposeAsync();
        }
    }
}

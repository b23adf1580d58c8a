using System.Text;
using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Tracing;
using Runbooks.Sqlite.DurableTask;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class HistoryJsonTests
{
    private const string Text = "</script>\u0000 \"ünï\" 日本語 😀 \u2028\n";
    private static readonly DateTime s_time = new DateTime(2026, 11, 23, 3, 4, 5, DateTimeKind.Utc).AddTicks(1_234_567);

    public static TheoryData<HistoryEvent> Events =>
    [
        new OrchestratorStartedEvent(-1),
        new OrchestratorCompletedEvent(-1),
        new ExecutionStartedEvent(-1, Text)
        {
            Name = "n", Version = "v", OrchestrationInstance = new OrchestrationInstance { InstanceId = Text, ExecutionId = "e" },
            Tags = new Dictionary<string, string> { ["a"] = Text }, ScheduledStartTime = s_time, Generation = 3, GenerateNewTrace = true, Correlation = "c",
            ParentTraceContext = new DistributedTraceContext("p", "s") { Id = "i", SpanId = "x", ActivityStartTime = new DateTimeOffset(s_time) },
        },
        new ExecutionCompletedEvent(4, Text, OrchestrationStatus.Failed, Failure()),
        new ExecutionCompletedEvent(4, null, OrchestrationStatus.Terminated),
        new ContinueAsNewEvent(4, Text),
        new ExecutionTerminatedEvent(-1, Text),
        new ExecutionSuspendedEvent(-1, Text),
        new ExecutionResumedEvent(-1, null),
        new TaskScheduledEvent(0, "n", "v", Text) { Tags = new Dictionary<string, string> { ["a"] = "b" } },
        new TaskScheduledEvent(7, "n"),
        new TaskCompletedEvent(-1, 7, Text),
        new TaskCompletedEvent(-1, 7, null),
        new TaskFailedEvent(-1, 7, Text, "details", Failure()),
        new TimerCreatedEvent(3, s_time),
        new TimerCreatedEvent(3, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)),
        new TimerFiredEvent(-1, s_time) { TimerId = 3 },
        new EventSentEvent(2) { InstanceId = "i", Name = Text, Input = Text },
        new EventRaisedEvent(-1, Text) { Name = "n" },
    ];

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void Event_ComesBackAsItWent(HistoryEvent happened)
    {
        happened.Timestamp = s_time;

        var read = HistoryReader.Read(happened.EventType.ToString(), HistoryWriter.Write(happened));

        read.ShouldBeOfType(happened.GetType());
        Newtonsoft.Json.JsonConvert.SerializeObject(read).ShouldBe(Newtonsoft.Json.JsonConvert.SerializeObject(happened));
        read.Timestamp.Kind.ShouldBe(DateTimeKind.Utc);
    }

    [Theory]
    [InlineData("TaskCompleted", "{")]
    [InlineData("TaskCompleted", "{\"at\":1}")]
    [InlineData("TaskCompleted", "{\"at\":1,\"task\":\"x\"}")]
    [InlineData("TaskCompleted", "[]")]
    [InlineData("Whatever", "{\"at\":1}")]
    [InlineData("SubOrchestrationInstanceCreated", "{\"at\":1}")]
    [InlineData("ExecutionCompleted", "{\"at\":1,\"status\":\"Odd\"}")]
    public void WhatCannotBeRead_IsNeverTakenForSomethingElse(string kind, string json) =>
        Should.Throw<InvalidDataException>(() => HistoryReader.Read(kind, Encoding.UTF8.GetBytes(json)));

    private static FailureDetails Failure() => new("System.IO.IOException", Text, "at X", new FailureDetails("T", "inner", null, null, true), false);
}
